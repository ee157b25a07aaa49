"""The contestants as processes of their own: started, found ready, measured, stopped."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

START_SECONDS = 30

JOBLENS = "Joblens"
BARE = "bare: one statement, json_agg"
TEXTBOOK = "textbook: ORM, Strawberry, DataLoader"
UVICORN = ("uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log")
COMMANDS = {
    JOBLENS: ("joblens", "serve"),
    BARE: (*UVICORN, "benchmarks.bare:create_app", "--factory"),
    TEXTBOOK: (*UVICORN, "benchmarks.textbook:app"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running contestant."""

    name: str
    port: int
    pid: int

    def peak_memory(self) -> int:
        """Get the most bytes it has had in memory at once."""
        return peak_memory(self.pid)


@asynccontextmanager
async def serving(name: str, database_url: str, **settings: str) -> AsyncIterator[Server]:
    """Run a contestant in one process, on uvloop and httptools.

    `settings` are Joblens' own, as in the environment but without their prefix: `redact_keys`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *COMMANDS[name], "--host", "127.0.0.1", "--port", str(port)),
            env=_environment(database_url, settings),
            stdout=output,
            stderr=output,
        )
        try:
            if not await _answers(port, process):
                output.seek(0)
                raise RuntimeError(f"{name} did not start: {output.read().decode()[-2000:]}")
            yield Server(name, port, process.pid)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def peak_memory(pid: int) -> int:
    """Get the most bytes that a process has had in memory at once."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmHWM")


def _environment(database_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    given = {"database_url": database_url, "auth": "none"} | settings
    return ours | {
        **{f"JOBLENS_{name.upper()}": value for name, value in given.items()},
        "BENCHMARK_DATABASE_URL": database_url,
    }


async def _answers(port: int, process: asyncio.subprocess.Process) -> bool:
    for _ in range(START_SECONDS * 20):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None:
                break
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return True
    return False
