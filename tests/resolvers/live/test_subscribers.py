"""Many subscribers, slow ones, those who leave, and the end: what they cost and whom they bother."""

import asyncio
from typing import Any

import pytest

from resolvers.jobs import get_jobs
from resolvers.live import streams
from schema.execution.models import Operation, Request, Response
from schema.execution.run import execute, prepare, subscribe
from tests.resolvers.live.watching import EVENTS, NEVER, until, watching
from tests.support.rules import ANY_RULES

WITH_JOB = "subscription { jobEvents { cursor node { id job { type } } } }"


async def statements_for(url: str, subscribers: int) -> list[str]:
    async with watching(url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        watchers = [await watched.subscribe(WITH_JOB) for _ in range(subscribers)]
        filtered = {"filter": {"nextStatus": ["QUEUED", "RUNNING"]}}
        watchers += [await watched.subscribe(EVENTS, filtered) for _ in range(subscribers)]
        await watched.listens()
        await until(lambda: all(feed.polls for feed in watched.hub._feeds.values()))
        # A first event, so that the look around after the listener began is over.
        await watched.happen(row)
        await asyncio.gather(*(watcher.data() for watcher in watchers))
        with watched.recorded() as statements:
            written = await watched.happen(row)
            told = await asyncio.gather(*(watcher.ids(1) for watcher in watchers))
        assert told == [[written]] * len(watchers)
        assert watched.engine.pool.checkedin() + watched.engine.pool.checkedout() <= 5
        return statements


async def test_the_number_of_subscribers_costs_no_statement(database_url: str) -> None:
    """The keys, the rows, the filter, and the job, which one response for all needs."""
    one = await statements_for(database_url, 1)
    hundred = await statements_for(database_url, 100)
    assert len(one) == len(hundred) == 4


async def test_waiting_takes_no_connection(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        for _ in range(20):
            await watched.subscribe(WITH_JOB)
        await watched.listens()
        await until(lambda: watched.engine.pool.checkedout() == 0)
        listeners = await watched.writer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'joblens listen'"
            " AND datname = current_database()"
        )
        assert listeners == 1


async def test_a_slow_consumer_is_ended_and_resumes(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER, queue_size=10) as watched:
        row = await watched.job()
        slow, quick = await watched.subscribe(), await watched.subscribe()
        await watched.listens()
        written = [await watched.happen(row)]
        first = await slow.data()
        assert await quick.ids(1) == written
        for _ in range(40):
            written.append(await watched.happen(row))
            assert await quick.ids(1) == written[-1:]
        response = await slow.next()
        assert response.refused
        (error,) = response.errors
        assert error["extensions"]["code"] == "SLOW_CONSUMER"
        assert "after" in error["message"]
        assert await slow.completes()
        back = await watched.subscribe(EVENTS, {"after": first["cursor"]})
        assert await back.ids(40) == written[1:]


async def test_a_burst_larger_than_the_queue_ends_nobody_who_reads(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05, queue_size=10) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe()
        async with watched.writer.transaction():
            written = [await watched.happen(row) for _ in range(200)]
        assert await subscriber.ids(200) == written


async def test_who_leaves_while_waiting_leaves_nothing(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        for query in (EVENTS, "subscription { statusCounts { status } }"):
            subscriber = await watched.subscribe(query)
            if "Counts" in query:
                await subscriber.data()
            waiting = asyncio.ensure_future(subscriber.next())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await subscriber.close()
            await subscriber.close()
        await until(lambda: not watched.hub._feeds and not watched.hub._users)


async def test_who_never_listened_leaves_nothing(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        for _ in range(3):
            await (await watched.subscribe()).close()
        assert watched.hub.subscriptions == 0
        await until(lambda: not watched.hub._feeds)


async def test_at_the_end_subscriptions_complete(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        subscribers = [
            await watched.subscribe(),
            await watched.subscribe("subscription { statusCounts(everySeconds: 60) { status } }"),
            await watched.subscribe(
                "subscription ($id: ID!) { job(id: $id) { id } }", {"id": str(row["id"])}
            ),
        ]
        for subscriber in subscribers[1:]:
            await subscriber.data()
        waiting = [asyncio.ensure_future(each.completes()) for each in subscribers]
        await asyncio.sleep(0)
        await watched.hub.stop()
        assert await asyncio.gather(*waiting) == [True] * 3
        error = await watched.refused(EVENTS)
        assert error["extensions"]["code"] == "UNAVAILABLE"


async def test_at_the_end_one_that_catches_up_completes(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_TAKEN", 1)
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        await watched.happen(row)
        cursor = (await first.data())["cursor"]
        for _ in range(3):
            await watched.happen(row)
        second = await watched.subscribe(EVENTS, {"after": cursor})
        await second.data()
        await watched.hub.stop()
        assert await second.completes()


async def test_it_closes_while_it_is_waited_for(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        subscriber = await watched.subscribe("subscription { statusCounts { status } }")
        await subscriber.data()
        waiting = asyncio.ensure_future(subscriber.completes())
        await asyncio.sleep(0)
        await subscriber.close()
        assert await waiting


async def test_who_works_an_answer_out_may_leave(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for an answer that one of them works out; where that one leaves, another does."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job(type="mail")
        many = [await watched.subscribe(WITH_JOB) for _ in range(10)]
        await watched.listens()
        tasks = [asyncio.ensure_future(each.data()) for each in many]
        working = asyncio.Event()

        async def slow(*args: Any) -> Any:
            working.set()
            await asyncio.sleep(0.1)
            return await get_jobs(*args)

        monkeypatch.setattr("schema.events.get_jobs", slow)
        await watched.happen(row)
        await working.wait()
        tasks[0].cancel()
        told = await asyncio.gather(*tasks[1:])
        assert all(edge["node"]["job"] == {"type": "mail"} for edge in told)


async def test_each_way_takes_its_operations_only(database_url: str) -> None:
    async with watching(database_url) as watched:
        for query, run in (
            ("subscription { jobEvents { cursor } }", execute),
            ("{ __typename }", subscribe),
        ):
            request = Request(query)
            operation = prepare(request, ANY_RULES)
            assert isinstance(operation, Operation)
            if run is execute:
                async with watched.context(watched.org_id) as context:
                    response = await execute(operation, request, context)
            else:
                response = await subscribe(
                    operation, request, lambda: watched.context(watched.org_id)
                )
            assert isinstance(response, Response)
            assert response.refused
            assert response.codes() == {"BAD_REQUEST"}


async def test_a_defect_is_masked(database_url: str, monkeypatch) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        subscriber = await watched.subscribe(WITH_JOB)
        await watched.listens()

        async def broken(*_args: object) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr("schema.events.get_jobs", broken)
        await watched.happen(await watched.job())
        response = await subscriber.next()
        assert response.codes() == {"INTERNAL_SERVER_ERROR"}
        assert "secret" not in str(response.errors)
        monkeypatch.undo()
        await watched.happen(await watched.job())
        assert (await subscriber.data())["node"]["job"]
