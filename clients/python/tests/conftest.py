"""A Joblens and a redis-server for each module; the programs that use them are processes."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger
from tests.server.redis.conftest import RedisServer
from tests.support.service import Service

pytest_plugins = ["tests.conftest"]


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
async def ledger(service: Service) -> AsyncIterator[Ledger]:
    """What it has of the jobs, also after the programs, which are started later, have ended."""
    ledger = Ledger(service)
    yield ledger
    await ledger.settle()


@pytest.fixture(scope="module")
def environment(
    service: Service, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return {
        "SPOOL_DIR": str(tmp_path_factory.mktemp("spool")),
        "JOBLENS_URL": str(service.client.base_url),
        "JOBLENS_SOURCE": "shop",
        "REDIS_SOCKET": redis.url.removeprefix("unix://"),
    }
