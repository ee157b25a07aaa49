"""Bounds on requests that run at once: of each viewer, and of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.resolvers.live.clients import COUNTS, socket
from tests.resolvers.live.rest import back_to_rest, table_locked, until_someone_waits
from tests.resolvers.live.watching import until
from tests.server.load.clients import JOBS, NOTHING, WAYS, Ask, post
from tests.support.service import ORG, OTHER_ORG, Service, serving

THIRD_ORG = "00000000-0000-0000-0000-000000000003"


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, max_requests="7", max_requests_per_viewer="2") as running:
        yield running


@asynccontextmanager
async def running(service: Service, database_url: str, *orgs: str) -> AsyncIterator[None]:
    """Keep a query of each organisation running."""
    async with table_locked(database_url):
        waiting = []
        for number, org in enumerate(orgs, 1):
            waiting.append(asyncio.create_task(post(service, JOBS, org)))
            await until_someone_waits(database_url, number)
        yield
    answers = await asyncio.gather(*waiting)
    assert [answer.codes for answer in answers] == [[] for _ in orgs]


@pytest.mark.parametrize("ask", WAYS)
async def test_one_more_of_a_viewer_is_refused(
    service: Service, database_url: str, ask: Ask
) -> None:
    async with back_to_rest(service, database_url):
        async with running(service, database_url, ORG, ORG):
            refused = await ask(service, NOTHING)
            assert refused.codes == ["TOO_MANY_REQUESTS"]
            assert "data" not in refused.body
            assert refused.body["errors"][0]["extensions"]["retryAfterSeconds"] == 1
            if refused.headers is not None:
                assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            assert (await ask(service, NOTHING, OTHER_ORG)).codes == []
            assert (await service.client.get("/healthz")).status_code == 200
        assert (await ask(service, NOTHING)).codes == []


async def test_a_body_that_is_still_coming_has_its_place(
    service: Service, database_url: str
) -> None:
    head = (
        b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: 1000\r\n\r\n{"
    )
    url = service.client.base_url
    async with back_to_rest(service, database_url):
        slow = [await asyncio.open_connection(url.host, url.port) for _ in range(2)]
        for _, writer in slow:
            writer.write(head)
        await until(lambda: len(service.state.admission.requests) == 2)
        assert (await post(service, NOTHING)).codes == ["TOO_MANY_REQUESTS"]
        for _, writer in slow:
            writer.close()
            await writer.wait_closed()
        await until(lambda: len(service.state.admission.requests) == 0)
        assert (await post(service, NOTHING)).codes == []


@pytest.mark.parametrize("ask", WAYS)
async def test_one_more_of_all_is_refused(database_url: str, ask: Ask) -> None:
    async with serving(database_url, max_requests="2") as service:
        async with running(service, database_url, ORG, OTHER_ORG):
            refused = await ask(service, NOTHING, THIRD_ORG)
            assert refused.codes == ["OVERLOADED"]
            if refused.headers is not None:
                assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert (await ask(service, NOTHING, THIRD_ORG)).codes == []


async def test_a_viewer_leaves_room_for_others(database_url: str) -> None:
    async with (
        serving(database_url, max_requests="4") as service,
        running(service, database_url, ORG, ORG),
    ):
        assert (await post(service, NOTHING)).codes == ["TOO_MANY_REQUESTS"]
        assert (await post(service, NOTHING, OTHER_ORG)).codes == []


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("query", [NOTHING, "{ nothing }", "{ jobs(first: -1) { nodes { id } } }"])
async def test_every_place_is_given_back(database_url: str, ask: Ask, query: str) -> None:
    async with serving(database_url, max_requests="1") as service:
        for _ in range(3):
            assert set((await ask(service, query)).codes) <= {
                "GRAPHQL_VALIDATION_FAILED",
                "BAD_USER_INPUT",
            }


async def test_the_place_of_a_client_that_left_is_given_back(database_url: str) -> None:
    async with serving(database_url, max_requests="1") as service, table_locked(database_url):
        for _ in range(3):
            async with socket(service) as client:
                await client.init()
                await client.subscribe("1", JOBS)
                await until_someone_waits(database_url)
                await client.send({"id": "1", "type": "complete"})
                await client.subscribe("2", NOTHING)
                assert (await client.receive())["type"] == "next"


async def test_subscriptions_count_while_they_begin(database_url: str) -> None:
    async with serving(database_url, max_requests="1") as service, socket(service) as client:
        await client.init()
        for n in range(3):
            await client.subscribe(str(n), COUNTS)
            assert (await client.receive())["type"] == "next"
        assert (await post(service, NOTHING)).codes == []
