"""`joblens serve` as a process of its own, and what it logs."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.server.cli.conftest import command
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service, client_of

DEFECTS = re.compile(
    rb"Traceback|unexpected error|Exception in|Fatal error|SocketException", re.IGNORECASE
)


def told(log: Path) -> bytes:
    return log.read_bytes()


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int
    service: Service
    log: Path

    async def stop(self) -> bytes:
        """Ask it to end; get all that it logged."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.process.wait()
        return told(self.log)


@asynccontextmanager
async def running(url: str, log: Path, **settings: str) -> AsyncIterator[Running]:
    given = {f"JOBLENS_{name.upper()}": value for name, value in settings.items()}
    environment = {"JOBLENS_DATABASE_URL": url, "JOBLENS_PORT": "0", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command("serve"), env=environment | given, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(rb"http://[^:]+:(\d+)/healthz\s", told(log))):
                assert process.returncode is None, told(log)
                await asyncio.sleep(0.05)
        port = int(found[1])
        async with client_of(f"http://127.0.0.1:{port}") as client:
            service = cast("Service", SimpleNamespace(client=client))
            yield Running(process, port, service, log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
