"""WebSockets that end, at odd moments too: nothing is left behind, and nobody else is disturbed."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.resolvers.live.clients import COUNTS, EVENTS, Socket, socket
from tests.resolvers.live.rest import back_to_rest, table_locked, until_someone_waits
from tests.support.service import Service, serving

JOBS = "{ jobs { nodes { id } } }"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does is worth a warning."""
    yield
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def hang_up(client: Socket) -> None:
    """Be gone, without a word."""
    client.connection.transport.abort()


async def test_a_client_that_says_goodbye(service: Service, database_url: str) -> None:
    async with back_to_rest(service, database_url), socket(service) as client:
        await client.init()
        await client.subscribe("counts", COUNTS)
        await client.subscribe("events", EVENTS)
        assert (await client.receive())["type"] == "next"


@pytest.mark.parametrize("moment", ["at once", "after init", "while watching", "mid-message"])
async def test_a_client_that_is_gone(service: Service, database_url: str, moment: str) -> None:
    async with back_to_rest(service, database_url), socket(service) as client:
        if moment != "at once":
            await client.init()
        if moment == "while watching":
            for n in range(20):
                await client.subscribe(f"counts {n}", COUNTS)
                await client.subscribe(f"events {n}", EVENTS)
            await client.receive()
        if moment == "mid-message":
            # The beginning of a frame of 64 bytes.
            client.connection.transport.write(b"\x81\xc0\x00\x00")
        hang_up(client)


async def test_a_client_that_leaves_a_query_behind(service: Service, database_url: str) -> None:
    async with back_to_rest(service, database_url):
        async with table_locked(database_url), socket(service) as client:
            await client.init()
            for n in range(3):
                await client.subscribe(str(n), JOBS)
            await until_someone_waits(database_url, 3)
            hang_up(client)
        async with socket(service) as client:
            await client.init()
            assert await client.ask("1", JOBS) == {"jobs": {"nodes": []}}


async def test_a_client_that_leaves_what_it_completed(service: Service, database_url: str) -> None:
    async with back_to_rest(service, database_url), table_locked(database_url):
        async with socket(service) as client:
            await client.init()
            await client.subscribe("1", JOBS)
            await until_someone_waits(database_url)
            await client.send({"id": "1", "type": "complete"})
            assert await client.ask("2", "{ __typename }") == {"__typename": "Query"}
        # Time to notice that it left.
        for _ in range(100):
            await service.client.get("/healthz")


async def test_a_mutation_is_finished_for_whoever_left(service: Service, database_url: str) -> None:
    create = 'mutation { createJob(input: {type: "left", queue: "q"}) { __typename } }'
    async with (
        back_to_rest(service, database_url),
        socket(service) as client,
        table_locked(database_url),
    ):
        await client.init()
        await client.subscribe("1", create)
        await until_someone_waits(database_url)
        hang_up(client)
    count = '{ jobs(filter: {type: {eq: "left"}}) { count { value } } }'
    assert (await service.query(count))["jobs"]["count"]["value"] == 1


async def test_a_slow_operation_holds_up_no_other(service: Service, database_url: str) -> None:
    async with socket(service) as client:
        await client.init()
        async with table_locked(database_url):
            await client.subscribe("slow", JOBS)
            await until_someone_waits(database_url)
            assert await client.ask("quick", "{ __typename }") == {"__typename": "Query"}
        assert (await client.receive())["id"] == "slow"
        assert await client.receive() == {"id": "slow", "type": "complete"}


async def test_a_completed_operation_is_heard_of_no_more(
    service: Service, database_url: str
) -> None:
    async with back_to_rest(service, database_url), socket(service) as client:
        await client.init()
        async with table_locked(database_url):
            await client.subscribe("1", JOBS)
            await until_someone_waits(database_url)
            await client.send({"id": "1", "type": "complete"})
            # The id is free.
            assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}
        assert await client.ask("2", "{ __typename }") == {"__typename": "Query"}


async def test_a_failing_operation_harms_no_other(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        await client.subscribe("counts", COUNTS)
        assert (await client.receive())["id"] == "counts"
        assert await client.refused("1", "{ nothing }") == ["GRAPHQL_VALIDATION_FAILED"]
        assert await client.ask("2", "{ __typename }") == {"__typename": "Query"}


async def test_a_silent_client_is_given_up(database_url: str) -> None:
    async with (
        serving(database_url, websocket_ping_seconds="0.1") as service,
        AsyncExitStack() as clients,
    ):
        async with back_to_rest(service, database_url):
            client = await clients.enter_async_context(socket(service))
            await client.init()
            await client.subscribe("counts", COUNTS)
            await client.receive()
            # It reads no more, so it answers no pings.
            client.connection.transport.pause_reading()
        hang_up(client)


async def test_an_idle_client_that_answers_pings_stays(database_url: str) -> None:
    async with (
        serving(database_url, websocket_ping_seconds="1") as service,
        socket(service) as client,
    ):
        await client.init()
        await asyncio.sleep(2.5)
        assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}


async def test_the_end_of_the_process(database_url: str) -> None:
    async with AsyncExitStack() as outside:
        async with serving(database_url) as service:
            watching = await outside.enter_async_context(socket(service))
            await watching.init()
            for id_ in ("1", "2"):
                await watching.subscribe(id_, COUNTS)
                await watching.receive()
            idle = await outside.enter_async_context(socket(service))
            new = await outside.enter_async_context(socket(service))
            await idle.init()
        ended = [await watching.receive(), await watching.receive()]
        assert sorted(message["id"] for message in ended) == ["1", "2"]
        assert {message["type"] for message in ended} == {"complete"}
        for client in (watching, idle, new):
            assert await client.closed() == (1001, "The server is going away")


async def test_queries_are_answered_before_the_end(database_url: str) -> None:
    async with AsyncExitStack() as outside:
        async with serving(database_url) as service:
            client = await outside.enter_async_context(socket(service))
            await client.init()
            for n in range(10):
                await client.subscribe(str(n), JOBS)
            answers = [await client.receive()]
        answers += [await client.receive() for _ in range(19)]
        assert [answer["type"] for answer in answers].count("next") == 10
        assert (await client.closed())[0] == 1001
