"""Programs of tests/apps in the environment of a library, and what Joblens has of their jobs."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Api

CLIENT = Path(__file__).parent.parent
ROOT = CLIENT.parent.parent
APPS = CLIENT / "tests" / "apps"
JOB = """query ($id: StringFilter) { jobs(filter: {externalId: $id}) { nodes {
  id externalId type queue status attempt maxAttempts priority payload result lastErrorCode
  lastErrorMessage scheduledAt worker tags parent { externalId } batch { name }
  source { name kind isReadOnly }
  events { nodes { ts nextStatus attempt isExact detail } } } } }"""


def python_of(library: str) -> Path:
    """The interpreter of an environment that the Makefile made."""
    environments = os.environ.get("CLIENT_ENVIRONMENTS", ".venv/clients")
    return ROOT / environments / library / "bin" / "python"


class Program:
    """A process of a library's environment, with all that it started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pid = process.pid

    async def ask(self, expression: str) -> Any:
        """Have apps/ask.py evaluate an expression."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(expression.encode() + b"\n")
        answer = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)
        assert answer, f"it ended: {expression}"
        return json.loads(answer)

    async def stop(self) -> None:
        """Ask it to end, and wait."""
        self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)

    async def kill(self) -> None:
        """End it and all that it started, without asking."""
        os.killpg(self.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def running(library: str, *arguments: str, **environment: str) -> AsyncIterator[Program]:
    """Run `python …` of a library's environment in tests/apps."""
    process = await asyncio.create_subprocess_exec(
        python_of(library),
        *arguments,
        cwd=APPS,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{CLIENT}:{APPS}"} | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if "ask" in arguments else None,
        start_new_session=True,
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            await program.kill()


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await check():  # noqa: ASYNC110 - what it asks is elsewhere
            await asyncio.sleep(0.05)


def history(job: Any) -> list[str]:
    """The statuses that it had, each with the attempt, and `?` if nothing reported it."""
    events = job["events"]["nodes"]
    return [f"{e['nextStatus']} {e['attempt']}{'' if e['isExact'] else '?'}" for e in events]


class Ledger:
    """The jobs of one Joblens."""

    def __init__(self, service: Api) -> None:
        self._service = service
        self._told: dict[str, tuple[str, ...]] = {}

    async def find(self, external_id: str) -> Any:
        """Get a job; None if it is not there."""
        data = await self._service.query(JOB, {"id": {"eq": external_id}})
        return next(iter(data["jobs"]["nodes"]), None)

    async def told(self, external_id: str, *expected: str) -> Any:
        """Get a job once its history is as expected."""
        found: Any = None

        async def is_so() -> bool:
            nonlocal found
            found = await self.find(external_id)
            return found is not None and history(found) == list(expected)

        try:
            await until(is_so)
        except TimeoutError:
            assert found is not None, external_id
            assert history(found) == list(expected), found
        self._told[external_id] = expected  # the last one counts
        return found

    async def settle(self) -> None:
        """Check, once all programs have ended, that nothing more was told of the jobs."""
        for external_id, expected in self._told.items():
            found = await self.find(external_id)
            assert history(found) == list(expected), found
