"""A real redis-server on a socket of its own. Without the program these tests fail, not skip."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest


class RedisServer:
    """A redis-server that can be stopped, started again, and made to hang."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"unix://{folder}/redis.sock"

    async def start(self) -> None:
        path = self._folder / "redis.sock"
        self._process = await asyncio.create_subprocess_exec(
            *[self._program, "--port", "0", "--unixsocket", str(path)],
            *["--save", "", "--appendonly", "no", "--dir", str(self._folder)],
            stdout=asyncio.subprocess.DEVNULL,
        )
        while not path.exists():
            assert self._process.returncode is None
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            (self._folder / "redis.sock").unlink(missing_ok=True)
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("there is no redis-server: on Debian, apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="joblens-redis-"))
    server = RedisServer(program, folder)
    await server.start()
    yield server
    await server.stop()
    shutil.rmtree(folder)
