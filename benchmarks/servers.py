"""The contestants as processes of their own: started, found ready, measured, stopped."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from benchmarks.processes import Usage, cpu_seconds, peak_memory

START_SECONDS = 30
ROOT = Path(__file__).parents[1]
UVICORN = ("uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log")
# Joblens logs this as a warning if an operation could not be compiled.
FELL_BACK = b'"operation fell back"'


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to serve the ledger: the command, without its address, and the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT


def python(*module: str) -> tuple[str, ...]:
    """Get the words that run a module."""
    return (sys.executable, "-m", *module)


JOBLENS = Contestant("Joblens", python("joblens", "serve"))
BARE = Contestant(
    "bare: one statement, json_agg", python(*UVICORN, "benchmarks.bare:nested", "--factory")
)
BARE_FLAT = Contestant(BARE.name, python(*UVICORN, "benchmarks.bare:flat", "--factory"))
TEXTBOOK = Contestant(
    "textbook: ORM, Strawberry, DataLoader", python(*UVICORN, "benchmarks.textbook:app")
)


def beside(folder: Path, commit: str) -> Contestant:
    """Get Joblens from another checkout, in which `make setup` was run."""
    python = str(folder / ".venv" / "bin" / "python")
    return Contestant(f"Joblens ({commit})", (python, "-m", "joblens", "serve"), folder)


@dataclass(frozen=True, slots=True)
class Server:
    """A running contestant. `output`: what it has written."""

    contestant: Contestant
    port: int
    pid: int
    output: Path

    @property
    def name(self) -> str:
        return self.contestant.name

    def peak_memory(self) -> int:
        """Get the most bytes it has had in memory at once."""
        return peak_memory(self.pid)

    @contextmanager
    def measured(self, usage: Usage) -> Iterator[None]:
        """Add the processor time that it takes meanwhile."""
        before = cpu_seconds(self.pid)
        yield
        usage.server_seconds += cpu_seconds(self.pid) - before


def check_no_fallback(server: Server) -> None:
    """Raise an error if graphql-core's executor ran any operation of this server."""
    with server.output.open("rb") as lines:
        found = [line.decode() for line in lines if FELL_BACK in line]
    if found:
        raise RuntimeError(f"{len(found)} operations fell back, the first: {found[0]}")


@asynccontextmanager
async def serving(
    contestant: Contestant, database_url: str, **settings: str
) -> AsyncIterator[Server]:
    """Run a contestant in one process, on uvloop and httptools if it is in Python.

    `settings` are Joblens' own, as in the environment but without their prefix: `redact_keys`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with NamedTemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *(*contestant.command, "--host", "127.0.0.1", "--port", str(port)),
            cwd=contestant.folder,
            env=environment(database_url, settings),
            stdout=output,
            stderr=output,
        )
        try:
            if not await _answers(port, process):
                output.seek(0)
                tail = output.read().decode()[-2000:]
                raise RuntimeError(f"{contestant.name} did not start: {tail}")
            yield Server(contestant, port, process.pid, Path(output.name))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def environment(database_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Get the variables of a contestant's process."""
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
