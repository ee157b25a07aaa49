"""jobEvents: every event once, in each job's order, however it is written and wherever one resumes."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import orjson
import pytest

from db.queries.keyset import EVENTS_NEWEST_FIRST
from resolvers import cursors
from tests.resolvers.live.watching import EVENTS, NEVER, watching


@pytest.mark.parametrize("notified", [True, False])
async def test_an_event_arrives(database_url: str, notified: bool) -> None:
    """By the notification alone, and by the poll alone."""
    poll = NEVER if notified else 0.05
    async with watching(database_url, poll_seconds=poll) as watched:
        row = await watched.job()
        await watched.happen(row)
        subscriber = await watched.subscribe()
        if notified:
            await watched.listens()
        for status in ("running", "queued", "running"):
            written = await watched.happen(row, status, notify=notified)
            edge = await subscriber.data()
            assert edge["node"]["id"] == written
            assert edge["node"]["nextStatus"] == status.upper()


async def test_from_now_means_now(database_url: str) -> None:
    """What was committed before is not told, also where another has watched all the while."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        before = await watched.happen(row, notify=False)
        second = await watched.subscribe()
        after = await watched.happen(row)
        assert await first.ids(2) == [before, after]
        assert await second.ids(1) == [after]


async def test_a_late_commit_arrives(database_url: str) -> None:
    """One transaction writes first and commits last: younger events have long been told."""
    async with watching(database_url, poll_seconds=0.05) as watched:
        slow, quick = await watched.job(), await watched.job()
        subscriber = await watched.subscribe()
        other = await asyncpg.connect(database_url)
        transaction = other.transaction()
        await transaction.start()
        late = await watched.happen(slow, writer=other, ago=10)
        younger = [await watched.happen(quick) for _ in range(3)]
        assert await subscriber.ids(3) == younger
        await transaction.commit()
        await other.close()
        assert await subscriber.ids(1) == [late]
        last = await watched.happen(quick)
        assert await subscriber.ids(1) == [last]


async def test_a_job_keeps_its_order_whatever_the_clocks_say(database_url: str) -> None:
    """The second event bears an earlier time than the first, whose commit brought no news yet."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe()
        await watched.listens()
        written = [await watched.happen(row, ago=ago, notify=ago == 0) for ago in (5, 20, 3, 25, 0)]
        assert await subscriber.ids(5) == written


async def test_organisations_are_apart(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05) as watched:
        mine = await watched.job()
        theirs = await watched.job(org_id=(await watched.job())["id"])
        one = await watched.subscribe()
        other = await watched.subscribe(org_id=theirs["org_id"])
        for _ in range(3):
            written = await watched.happen(mine), await watched.happen(theirs)
            assert (await one.ids(1), await other.ids(1)) == ([written[0]], [written[1]])


async def test_filters_are_those_of_lists(database_url: str) -> None:
    """Conditions on the event and on its job; each distinct filter is one statement."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        mail, sync = await watched.job(type="mail"), await watched.job(type="sync")
        wanted = {"nextStatus": ["RUNNING"], "job": {"type": {"eq": "mail"}}}
        subscriber = await watched.subscribe(EVENTS, {"filter": wanted})
        noted = await watched.subscribe(EVENTS, {"filter": {"detailContains": {"a": 1}}})
        await watched.listens()
        await watched.happen(mail, "queued")
        await watched.happen(sync, "running", detail='{"a": 1, "b": 2}')
        running = await watched.happen(mail, "running")
        assert await subscriber.ids(1) == [running]
        assert await noted.ids(1) == [f"{sync['id']}:1"]


async def test_filters_know_relations(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        parent = await watched.job(tags=["eu", "big"])
        child = await watched.job(parent_id=parent["id"], batch="nightly")
        filters = (
            {"tags": ["big", "eu"]},
            {"parentId": str(parent["id"])},
            {"batch": {"eq": "nightly"}},
            {"tags": ["none"]},
        )
        all_ = [await watched.subscribe(EVENTS, {"filter": {"job": each}}) for each in filters]
        await watched.listens()
        first, second = await watched.happen(parent), await watched.happen(child)
        assert await all_[0].ids(1) == [first]
        assert [await each.ids(1) for each in all_[1:3]] == [[second], [second]]


async def test_a_cursor_of_the_list_resumes(database_url: str) -> None:
    """From a window before its place; a filter holds for the past as for what comes."""
    async with watching(database_url, poll_seconds=0.05) as watched:
        row, other = await watched.job(), await watched.job(type="other")
        written = [await watched.happen(row, ago=ago) for ago in (900, 600, 310, 300, 290, 10)]
        await watched.happen(other, ago=100)
        place = SimpleNamespace(
            ts=datetime.now(UTC) - timedelta(seconds=305), job_id=uuid4(), seq=1
        )
        cursor = cursors.encode(EVENTS_NEWEST_FIRST, place)
        wanted = {"jobIds": [str(row["id"])]}
        subscriber = await watched.subscribe(EVENTS, {"filter": wanted, "after": cursor})
        assert await subscriber.ids(4) == written[2:]
        await watched.happen(other)
        new = await watched.happen(row)
        assert await subscriber.ids(1) == [new]


async def test_a_cursor_from_the_future_hides_nothing(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        await watched.happen(row, ago=-5_000)
        cursor = (await first.data())["cursor"]
        now = await watched.happen(row)
        assert await first.ids(1) == [now]
        second = await watched.subscribe(EVENTS, {"after": cursor})
        assert await second.ids(1) == [now]


async def test_a_resume_reads_all_that_was_missed(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        await watched.happen(row)
        cursor = (await first.data())["cursor"]
        await first.close()
        missed = [await watched.happen(row, notify=False) for _ in range(1_100)]
        second = await watched.subscribe(EVENTS, {"after": cursor})
        told = await second.ids(550)
        missed += [await watched.happen(row, notify=n % 2 == 0) for n in range(20)]
        told += await second.ids(570)
        assert told == missed
        new = await watched.happen(row)
        assert await second.ids(1) == [new]


async def test_a_resume_has_what_was_committed_late_behind_its_cursor(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        slow, quick = await watched.job(), await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        await watched.happen(quick)
        cursor = (await first.data())["cursor"]
        await first.close()
        late = await watched.happen(slow, ago=20)
        second = await watched.subscribe(EVENTS, {"after": cursor})
        assert await second.ids(1) == [late]


async def test_a_bad_cursor_or_filter_is_refused(database_url: str) -> None:
    async with watching(database_url) as watched:
        error = await watched.refused(EVENTS, {"after": "x"})
        assert error["extensions"]["code"] == "INVALID_CURSOR"
        assert error["path"] == ["jobEvents"]
        error = await watched.refused(EVENTS, {"filter": {"jobIds": ["x"]}})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_job_of_an_event_is_one_snapshot(database_url: str) -> None:
    query = "subscription { jobEvents { node { detail seq: id job { type status latestEvent { id } } } } }"
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job(type="mail")
        subscriber = await watched.subscribe(query)
        await watched.listens()
        written = await watched.happen(row, "running", detail='{"a": [1]}')
        node = (await subscriber.data())["node"]
        assert orjson.loads(orjson.dumps(node["detail"])) == {"a": [1]}
        assert node["job"] == {"type": "mail", "status": "RUNNING", "latestEvent": {"id": written}}
