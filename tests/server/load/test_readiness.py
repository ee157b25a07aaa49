"""/readyz: one probe at a time, whose answer others share, and an answer also without a database."""

import asyncio

import pytest

from tests.conftest import FreshDatabase
from tests.resolvers.live.clients import PATIENCE_SECONDS
from tests.resolvers.live.rest import back_to_rest
from tests.resolvers.live.watching import until
from tests.server.load.clients import JOBS, post
from tests.support.proxy import proxy
from tests.support.service import Service, serving

READY = (200, {"status": "ready"})


async def readyz(service: Service) -> tuple[int, object]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await service.client.get("/readyz")
    return response.status_code, response.json()


async def test_many_share_one_probe(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.readiness.CACHE_SECONDS", 600.0)
    async with (
        serving(database_url, pool_size="1", pool_overflow="0") as service,
        back_to_rest(service, database_url),
    ):
        with service.recorded() as statements:
            answers = await asyncio.gather(*(readyz(service) for _ in range(300)))
            assert answers == [READY] * 300
        assert len(statements) == 1
        assert (await post(service, JOBS)).codes == []


async def test_an_answer_is_kept_only_for_a_while(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.readiness.CACHE_SECONDS", 0.0)
    async with proxy(await fresh_database()) as between, serving(between.url) as service:
        assert await readyz(service) == READY
        between.refuses = True
        between.end_all()
        status, body = await readyz(service)
        assert (status, body) == (
            503,
            {"status": "unavailable", "reason": "the database cannot be reached"},
        )
        between.refuses = False
        assert await readyz(service) == READY


async def test_a_silent_database_is_not_waited_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.readiness.CACHE_SECONDS", 0.0)
    # A statement may take as long as it likes.
    patient = {"statement_timeout_seconds": "600", "connect_timeout_seconds": "0.5"}
    async with proxy(database_url) as between, serving(between.url, **patient) as service:
        assert await readyz(service) == READY
        between.silent = True
        answers = await asyncio.gather(*(readyz(service) for _ in range(50)))
        reason = "the database does not answer"
        assert answers == [(503, {"status": "unavailable", "reason": reason})] * 50
        assert between.connections == 1
        probe = service.state.readiness._probe
        assert probe is not None
        assert not probe.done()
        # It is not waited for longer now than before.
        assert (await readyz(service))[0] == 503
        between.silent = False
        between.end_all()
        await until(lambda: _is_ready(service))


async def _is_ready(service: Service) -> bool:
    return await readyz(service) == READY


async def test_a_process_ends_while_the_database_is_silent(database_url: str) -> None:
    patient = {"statement_timeout_seconds": "600", "connect_timeout_seconds": "0.5"}
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        proxy(database_url) as between,
        serving(between.url, **patient) as service,
    ):
        between.silent = True
        assert (await readyz(service))[0] == 503
