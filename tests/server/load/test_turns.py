"""Database connections by turns: what one viewer waits for keeps no other waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from db.engine import Scope
from db.pool import FairPool
from tests.resolvers.live.clients import stream
from tests.resolvers.live.rest import back_to_rest, table_locked, until_someone_waits
from tests.resolvers.live.watching import until
from tests.server.auth.minting import mint
from tests.server.load.clients import asked, post
from tests.support.effort import first
from tests.support.ledger import events, insert, job
from tests.support.service import OTHER_ORG, Service, serving

THIRD_ORG = "00000000-0000-0000-0000-000000000003"
HEAVY = "{ jobGroups(by: [TYPE, STATUS]) { count } }"
# While all wait for the table of jobs, that of events can be read.
EVENTS = "{ jobEvents { nodes { id } } }"
MANY = 95


PATIENT = {
    "request_timeout_seconds": "600",
    "statement_timeout_seconds": "600",
    "pool_timeout_seconds": "300",
}


@asynccontextmanager
async def patient(database_url: str, **settings: str) -> AsyncIterator[Service]:
    """Serve clients that wait for as long as it takes, unless the settings end it."""
    async with serving(database_url, **(PATIENT | settings)) as service:
        service.client.timeout = None
        yield service


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with patient(database_url) as running:
        yield running


def waiting(service: Service) -> int:
    pool = service.engine.pool
    assert isinstance(pool, FairPool)
    return pool.queue.waiting


@asynccontextmanager
async def greedy(service: Service, database_url: str, running: int) -> AsyncIterator[None]:
    """Have one viewer ask for much more than there are connections, and get none of it done."""
    async with back_to_rest(service, database_url):
        async with table_locked(database_url):
            asking = [asyncio.create_task(post(service, HEAVY)) for _ in range(MANY)]
            await until_someone_waits(database_url, running)
            await until(lambda: waiting(service) == MANY - running)
            yield
            assert not any(task.done() for task in asking)
            assert waiting(service) == MANY - running
        assert {tuple(answer.codes) for answer in await asyncio.gather(*asking)} == {()}


async def test_others_get_a_connection_before_all_that_wait(
    service: Service, database_url: str
) -> None:
    async with greedy(service, database_url, 15):
        for _ in range(3):
            answers = await asyncio.gather(
                *(post(service, EVENTS, org) for org in (OTHER_ORG, THIRD_ORG))
            )
            assert [answer.codes for answer in answers] == [[], []]


@pytest.mark.parametrize("size", ["1", "2", "3"])
async def test_where_no_connection_is_left_others_are_next(
    database_url: str, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[UUID] = []
    begin_statements = Scope.begin_statements

    def recorded(scope: Scope, **options: bool) -> list[str]:
        begun.append(scope.org_id)
        return begin_statements(scope, **options)

    monkeypatch.setattr(Scope, "begin_statements", recorded)
    async with patient(database_url, pool_size=size, pool_overflow="0") as service:
        async with table_locked(database_url):
            asking = [asyncio.create_task(post(service, HEAVY)) for _ in range(20)]
            await until(lambda: waiting(service) == 20 - int(size))
            for n, org in enumerate([OTHER_ORG, THIRD_ORG], 21):
                asking.append(asyncio.create_task(post(service, EVENTS, org)))
                await until(lambda n=n: waiting(service) == n - int(size))  # type: ignore[misc]
        answers = await asyncio.gather(*asking)
    assert {tuple(answer.codes) for answer in answers} == {()}
    # At most so many begin at once, in any order.
    assert {UUID(OTHER_ORG), UUID(THIRD_ORG)} <= set(begun[int(size) : 2 * int(size) + 1])


async def test_what_is_short_does_not_wait_for_what_is_long(
    service: Service, database_url: str
) -> None:
    row = job(1)
    await insert(database_url, [row], events(row, "queued"))
    async with greedy(service, database_url, 15):
        short = f'{{ nodes(ids: ["{row["id"]}:1", "x:2"]) {{ id }} viewer {{ subject }} ...F }}'
        short += f' fragment F on Query {{ node(id: "{row["id"]}:1") {{ id }} }}'
        for answer in await asyncio.gather(*(post(service, short) for _ in range(10))):
            assert answer.body["data"]["node"] == {"id": f"{row['id']}:1"}
        assert (await service.client.get("/readyz")).json() == {"status": "ready"}
        feeds = service.state.hub._feeds
        async with stream(service, "subscription { jobEvents { cursor } }"):
            await until(lambda: any(feed.polls for feed in feeds.values()))


async def test_tokens_do_not_wait_for_what_is_long(database_url: str) -> None:
    minted = [await mint(database_url, name=f"viewer {n}") for n in range(5)]
    async with patient(database_url, auth="token") as service:
        heavy = minted[0].bearer
        await service.query("{ viewer { subject } }", Authorization=heavy)
        async with table_locked(database_url):
            asking = [
                asyncio.create_task(service.post(HEAVY, Authorization=heavy)) for _ in range(30)
            ]
            await until_someone_waits(database_url, 15)
            for n, each in enumerate(minted):
                data = await service.query("{ viewer { subject } }", Authorization=each.bearer)
                assert data == {"viewer": {"subject": f"viewer {n}"}}
            assert not any(task.done() for task in asking)
        await asyncio.gather(*asking)


async def test_who_waits_no_more_leaves_the_queue(service: Service, database_url: str) -> None:
    async with greedy(service, database_url, 15):
        for method in ("POST", "GET"):
            before = waiting(service)
            async with asked(service, HEAVY, method):
                await until(lambda: waiting(service) == before + 1)  # noqa: B023
            await until(lambda: waiting(service) == before)  # noqa: B023


async def test_what_is_out_of_time_leaves_the_queue(database_url: str) -> None:
    async with (
        patient(
            database_url, pool_size="1", pool_overflow="0", request_timeout_seconds="0.3"
        ) as service,
        back_to_rest(service, database_url),
        table_locked(database_url),
    ):
        answers = await asyncio.gather(*(post(service, HEAVY) for _ in range(10)))
        assert {tuple(answer.codes) for answer in answers} == {("TIMEOUT",)}
        assert waiting(service) == 0


async def test_who_waits_too_long_is_told(database_url: str) -> None:
    one = {"pool_size": "1", "pool_overflow": "0", "pool_timeout_seconds": "0.1"}
    async with patient(database_url, **one) as service:
        async with table_locked(database_url):
            running = asyncio.create_task(post(service, HEAVY))
            await until_someone_waits(database_url)
            answer = await post(service, HEAVY)
            assert (answer.status, answer.codes) == (503, ["UNAVAILABLE"])
        assert (await running).codes == []


@pytest.mark.parametrize("pool", first(1, [("1", "0"), ("2", "0"), ("10", "10")]))
async def test_none_holds_a_connection_while_it_waits_for_another(
    database_url: str, pool: tuple[str, str]
) -> None:
    size, overflow = pool
    field = """createJob(input: {type: "t"}) { ... on CreateJobPayload {
      job { events { nodes { id } } attempts { number } } } }"""
    document = f"mutation {{ {' '.join(f'x{n}: {field}' for n in range(4))} }}"
    async with (
        patient(database_url, pool_size=size, pool_overflow=overflow) as service,
        back_to_rest(service, database_url),
    ):
        for answer in await asyncio.gather(*(post(service, document) for _ in range(60))):
            assert answer.codes == []
            for written in answer.body["data"].values():
                assert len(written["job"]["events"]["nodes"]) == 1
