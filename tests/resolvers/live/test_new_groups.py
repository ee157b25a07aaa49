"""errorGroupSeen: each new error group once, whatever is summed, deleted or read by others."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.error_groups.fingerprints import fingerprint_of
from db.snapshots import Snapshot
from db.tallies.summing import Outcome, forget, sum_once
from resolvers import cursors
from resolvers.live import new_groups
from resolvers.live.fanout import GROUPS_NEWEST_FIRST
from tests.resolvers.live.watchers import WAYS, Watcher, watcher
from tests.resolvers.live.watching import EVENTS, NEVER, Subscriber, Watching, until, watching
from tests.support.service import Service

SEEN = """subscription ($after: String) { errorGroupSeen(after: $after) {
  cursor node { id code message types count { value isExact } firstSeenAt lastSeenAt } } }"""
TRANSITION = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { id errorGroup { id } } } } }"""


def group_id(code: str | None, message: str | None = None) -> str:
    found = fingerprint_of(code, message)
    assert found is not None
    return f"error-group:{found.id}"


async def fail(
    watched: Watching, row: dict[str, Any], code: str, message: str | None = None, **how: Any
) -> str:
    """Write an error; get the id of its group."""
    detail = {"error_code": code, "error_message": message}
    given = {name: value for name, value in detail.items() if value is not None}
    await watched.happen(row, "failed", detail=json.dumps(given), **how)
    return group_id(code, message)


async def sum_all(watched: Watching) -> None:
    while (await sum_once(watched.engine, watched.org_id)).outcome is not Outcome.DONE:
        pass


async def notify(watched: Watching) -> None:
    await watched.writer.execute("SELECT pg_notify('joblens', $1)", str(watched.org_id))


async def told(subscriber: Subscriber, count: int) -> list[str]:
    """Get the ids of so many groups; nothing else may be waiting."""
    found = [(await subscriber.data())["node"]["id"] for _ in range(count)]
    assert await subscriber.is_quiet()
    return found


async def test_the_first_error_of_a_kind_is_told(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        one, other = await watched.job(type="mail"), await watched.job(type="sync")
        await fail(watched, one, "OLD", "known for 3 days")
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        await fail(watched, other, "OLD", "known for 4 days")
        new = await fail(watched, one, "TIMEOUT", "no answer within 5 s")
        edge = await subscriber.data()
        seen_at = edge["node"].pop("firstSeenAt")
        assert edge["node"] == {
            "id": new,
            "code": "TIMEOUT",
            "message": "no answer within <number> s",
            "types": ["mail"],
            "count": {"value": 1, "isExact": True},
            "lastSeenAt": seen_at,
        }
        # Again, by another job and with another number; a change of status without an error.
        await fail(watched, other, "TIMEOUT", "no answer within 6 s")
        await watched.happen(other, "failed")
        await watched.happen(other, "running", detail='{"error_code": "NO_END"}')
        last = await fail(watched, other, "QUOTA")
        assert await told(subscriber, 1) == [last]


async def test_a_burst_is_told_once_with_a_bounded_number_of_statements(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        rows = [await watched.job() for _ in range(3)]
        subscribers = [await watched.subscribe(SEEN) for _ in range(3)]
        await watched.listens()
        counts = []
        for size in (3, 120):
            for number in range(size):
                row = rows[number % 3]
                await fail(watched, row, f"KIND-{size}", f"{number} of these", notify=False)
            await fail(watched, rows[0], f"OTHER-{size}", notify=False)
            with watched.recorded() as statements:
                await notify(watched)
                for each in subscribers:
                    found = [await each.data() for _ in range(2)]
                    assert [edge["node"]["code"] for edge in found] == [
                        f"KIND-{size}",
                        f"OTHER-{size}",
                    ]
                    assert found[0]["node"]["count"]["value"] == size
                    assert await each.is_quiet()
            counts.append(len(statements))
        # The new events, and which of them are errors; nothing for a subscriber or a group.
        assert counts == [2, 2]


async def test_a_fresh_subscription_takes_few_statements(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        for number in range(30):
            await fail(watched, row, f"KIND-{number:03d}A")
        await sum_all(watched)
        await fail(watched, row, "NOT_SUMMED")
        with watched.recorded() as statements:
            subscriber = await watched.subscribe(SEEN)
        # How events are found, twice; the new events; the groups; what is summed; new errors.
        assert len(statements) == 6, statements
        await watched.listens()
        for code in ("KIND-003A", "NOT_SUMMED", "NEW"):
            last = await fail(watched, row, code)
        assert await told(subscriber, 1) == [last]


@pytest.mark.parametrize("summed", ["before", "between", "after"])
async def test_sums_make_no_difference(database_url: str, summed: str) -> None:
    """The sums may have a group before the feed has read its first error."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        await fail(watched, row, "OLD")
        if summed == "before":
            await sum_all(watched)
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        new = await fail(watched, row, "NEW", notify=False)
        if summed == "between":
            await sum_all(watched)
        await notify(watched)
        assert await told(subscriber, 1) == [new]
        await sum_all(watched)
        await fail(watched, row, "OLD")
        await fail(watched, row, "NEW")
        last = await fail(watched, row, "LAST")
        assert await told(subscriber, 1) == [last]


async def test_each_of_several_processes_tells_it_once(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        hubs = [
            await stack.enter_async_context(watching(database_url, poll_seconds=NEVER))
            for _ in range(3)
        ]
        for each in hubs:
            each.org_id = hubs[0].org_id
        rows = [await hubs[0].job() for _ in range(6)]
        subscribers = [await each.subscribe(SEEN) for each in hubs for _ in range(2)]
        await until(lambda: listening(hubs[0], 3))
        writers = [await asyncpg.connect(database_url) for _ in rows]
        for writer in writers:
            stack.push_async_callback(writer.close)

        async def write(number: int) -> None:
            for kind in ("A", "B", "C", "A", "B", "C"):
                message = f"for the {number}th time"
                await fail(hubs[0], rows[number], kind, message, writer=writers[number])

        async def summing() -> None:
            for _ in range(5):
                await sum_once(hubs[1].engine, hubs[0].org_id)

        await asyncio.gather(summing(), *map(write, range(len(rows))))
        last = await fail(hubs[0], rows[0], "LAST")
        kinds = {group_id(kind, "for the 1th time") for kind in "ABC"}
        for each in subscribers:
            found = [(await each.data())["node"]["id"] for _ in range(4)]
            assert (set(found[:3]), found[3]) == (kinds, last)
            assert await each.is_quiet()


async def listening(watched: Watching, count: int) -> bool:
    found = await watched.writer.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'joblens listen'"
        " AND datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"
    )
    return bool(found == count)


async def test_who_comes_later_is_told_of_what_is_new_then(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        first = await watched.subscribe(SEEN)
        before = await fail(watched, row, "BEFORE", notify=False)
        second = await watched.subscribe(SEEN)
        after = await fail(watched, row, "AFTER")
        assert await told(first, 2) == [before, after]
        assert await told(second, 1) == [after]
        # Once nobody waits, the groups are forgotten, and read again for the next.
        await first.close()
        await second.close()
        await fail(watched, row, "UNWATCHED")
        third = await watched.subscribe(SEEN)
        for code in ("BEFORE", "UNWATCHED", "LAST"):
            last = await fail(watched, row, code)
        await watched.listens()
        await notify(watched)
        assert await told(third, 1) == [last]


async def test_a_group_outlives_its_jobs(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        await fail(watched, row, "DELETED")
        await sum_all(watched)
        await watched.writer.execute("DELETE FROM job WHERE org_id = $1", watched.org_id)
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        row = await watched.job()
        await fail(watched, row, "DELETED")
        new = await fail(watched, row, "NEW")
        assert await told(subscriber, 1) == [new]
        # Sums that are made again are no news either.
        await forget(watched.engine, watched.org_id)
        await fail(watched, row, "DELETED")
        await sum_all(watched)
        await fail(watched, row, "NEW")
        last = await fail(watched, row, "LAST")
        assert await told(subscriber, 1) == [last]


async def test_groups_beyond_the_limit_are_none(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_groups, "MAX_GROUPS", 3)
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        await fail(watched, row, "A")
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        codes = ("B", "C", "D", "A", "E")
        made = [await fail(watched, row, code, notify=code == "E") for code in codes]
        events = await watched.subscribe(EVENTS)
        assert await told(subscriber, 2) == made[:2]
        await fail(watched, row, "F")
        await events.data()
        assert await subscriber.is_quiet()


async def test_organisations_are_apart(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        theirs = await watched.job(org_id=uuid4())
        mine = await watched.job()
        one = await watched.subscribe(SEEN)
        other = await watched.subscribe(SEEN, org_id=theirs["org_id"])
        await watched.listens()
        for code in ("A", "B"):
            new = await fail(watched, mine, code)
            assert await told(one, 1) == [new]
            assert await other.is_quiet()
            assert [await fail(watched, theirs, code)] == await told(other, 1)


async def resumed(watched: Watching, cursor: str) -> Subscriber:
    return await watched.subscribe(SEEN, {"after": cursor})


async def edges(subscriber: Subscriber, count: int) -> list[Any]:
    return [await subscriber.data() for _ in range(count)]


@pytest.mark.parametrize("summed", ["never", "first", "last"])
async def test_a_cursor_resumes(database_url: str, summed: str) -> None:
    """Whichever of the errors are summed; each cursor has before it what was told before it."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        await fail(watched, row, "OLD")
        if summed == "first":
            await sum_all(watched)
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        first = [await fail(watched, row, code) for code in ("A", "B")]
        cursors_ = [edge["cursor"] for edge in await edges(subscriber, 2)]
        await subscriber.close()
        # Backdated: not times tell, but transactions.
        missed = [await fail(watched, row, code, ago=4_000) for code in ("C", "D")]
        for code in ("OLD", "A", "C"):
            await fail(watched, row, code)
        if summed == "last":
            await sum_all(watched)
        again = await resumed(watched, cursors_[1])
        found = await edges(again, 2)
        assert [edge["node"]["id"] for edge in found] == missed
        assert [edge["node"]["count"]["value"] for edge in found] == [2, 1]
        assert await told(await resumed(watched, cursors_[0]), 3) == [first[1], *missed]
        assert await told(await resumed(watched, found[0]["cursor"]), 1) == missed[1:]
        nothing = await resumed(watched, found[1]["cursor"])
        new = await fail(watched, row, "NEW")
        assert await told(nothing, 1) == [new]
        assert await told(again, 1) == [new]


async def test_a_cursor_resumes_though_jobs_were_deleted(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        row, lost = await watched.job(), await watched.job()
        await fail(watched, row, "A")
        cursor = (await subscriber.data())["cursor"]
        await subscriber.close()
        missed = await fail(watched, lost, "B")
        await fail(watched, lost, "A")
        await sum_all(watched)
        await watched.writer.execute("DELETE FROM job WHERE id = $1", lost["id"])
        assert await told(await resumed(watched, cursor), 1) == [missed]


async def test_groups_of_one_transaction_may_come_again(database_url: str) -> None:
    """A cursor is between transactions; its own group does not come again."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        rows = [await watched.job() for _ in range(3)]
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        async with watched.writer.transaction():
            made = [await fail(watched, row, f"K{n}") for n, row in enumerate(rows)]
        found = await edges(subscriber, 3)
        assert sorted(edge["node"]["id"] for edge in found) == sorted(made)
        for number, edge in enumerate(found):
            again = await resumed(watched, edge["cursor"])
            seen_again = {each["node"]["id"] for each in await edges(again, 2 if number < 2 else 0)}
            assert {each["node"]["id"] for each in found[number + 1 :]} <= seen_again
            assert edge["node"]["id"] not in seen_again
            assert await again.is_quiet()


async def test_a_late_commit_is_told(database_url: str) -> None:
    """Also to who resumes at a cursor that was made while it was under way."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        slow, quick = await watched.job(), await watched.job()
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        other = await asyncpg.connect(database_url)
        transaction = other.transaction()
        await transaction.start()
        late = await fail(watched, slow, "LATE", writer=other, ago=3_600)
        await fail(watched, slow, "BOTH", writer=other)
        early = [await fail(watched, quick, code) for code in ("EARLY", "BOTH")]
        found = await edges(subscriber, 2)
        assert [edge["node"]["id"] for edge in found] == early
        await transaction.commit()
        await other.close()
        last = await fail(watched, quick, "LAST")
        assert await told(subscriber, 2) == [late, last]
        again = await edges(await resumed(watched, found[1]["cursor"]), 2)
        assert {late, last} <= {edge["node"]["id"] for edge in again}


async def test_a_cursor_of_the_list_resumes(database_url: str) -> None:
    """It says nothing of transactions: from a while before its time."""
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        made = [
            await fail(watched, row, code, ago=ago)
            for code, ago in (("A", 900), ("B", 301), ("C", 300), ("D", 10))
        ]
        await sum_all(watched)
        query = "{ errorGroups(orderBy: FIRST_SEEN) { edges { cursor node { code } } } }"
        listed = (await watched.answer(query))["errorGroups"]["edges"]
        assert [edge["node"]["code"] for edge in listed] == ["D", "C", "B", "A"]
        subscriber = await resumed(watched, listed[2]["cursor"])
        await watched.listens()
        new = await fail(watched, row, "NEW")
        assert await told(subscriber, 3) == [*made[2:], new]


async def test_without_transactions_times_decide(database_url: str) -> None:
    """As on Citus, or after a restore: here of events whose transactions are ahead of the server."""
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        await fail(watched, row, "OLD", ago=5_000)
        await watched.writer.execute(
            "UPDATE job_event SET xid = '9223372036854775000' WHERE org_id = $1", watched.org_id
        )
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        await fail(watched, row, "OLD")
        new = await fail(watched, row, "NEW")
        (edge,) = await edges(subscriber, 1)
        assert edge["node"]["id"] == new
        await subscriber.close()
        missed = await fail(watched, row, "MISSED")
        assert await told(await resumed(watched, edge["cursor"]), 1) == [missed]


async def test_a_cursor_of_another_server_resumes_by_its_time(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        await fail(watched, row, "OLD", ago=5_000)
        new = await fail(watched, row, "NEW")
        place = SimpleNamespace(
            first_seen_at=datetime.now(UTC) - timedelta(seconds=60), id=UUID(int=1)
        )
        mark = cursors.Mark(Snapshot(2**62))
        cursor = cursors.encode(GROUPS_NEWEST_FIRST, place, mark)
        assert await told(await resumed(watched, cursor), 1) == [new]


async def test_a_bad_cursor_is_refused(database_url: str) -> None:
    async with watching(database_url) as watched:
        for cursor in ("x", cursors.encode(GROUPS_NEWEST_FIRST, PLACE)[:-8]):
            error = await watched.refused(SEEN, {"after": cursor})
            assert error["extensions"]["code"] == "INVALID_CURSOR"
            assert error["path"] == ["errorGroupSeen"]


PLACE = SimpleNamespace(first_seen_at=datetime.now(UTC), id=uuid4())


async def test_groups_that_cannot_be_read_are_of_no_concern_to_others(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER, statement_timeout_seconds=0.3) as watched:
        row = await watched.job()
        locked = await asyncpg.connect(database_url)
        async with locked.transaction():
            await locked.execute("LOCK TABLE error_group IN ACCESS EXCLUSIVE MODE")
            refused, events = await asyncio.gather(watched.refused(SEEN), watched.subscribe(EVENTS))
            assert refused["extensions"]["code"] == "TIMEOUT"
            await watched.listens()
            written = await watched.happen(row)
            assert await events.ids(1) == [written]
        await locked.close()
        subscriber = await watched.subscribe(SEEN)
        new = await fail(watched, row, "NEW")
        assert await told(subscriber, 1) == [new]


async def test_a_read_that_fails_loses_nothing(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.1) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe(SEEN)
        await watched.listens()
        new = await fail(watched, row, "NEW", notify=False)
        await watched.writer.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert await told(subscriber, 1) == [new]


async def happened(service: Service, codes: Sequence[str]) -> list[str]:
    """Fail a job for each of these errors, as its worker does; get their groups."""
    groups = []
    for code in codes:
        made = await service.query(
            'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
        )
        given = {"id": made["createJob"]["job"]["id"]}
        await service.query(TRANSITION, {"input": {**given, "to": "RUNNING"}})
        failed = {**given, "to": "FAILED", "errorCode": code, "errorMessage": f"{len(groups)} s"}
        done = await service.query(TRANSITION, {"input": failed})
        groups.append(done["transitionJob"]["job"]["errorGroup"]["id"])
    return groups


@pytest.mark.parametrize("way", WAYS)
async def test_over_a_connection(service: Service, way: Any) -> None:
    query = """subscription { errorGroupSeen { cursor node { id trend sample { id lastErrorCode } } } }"""
    org_id = UUID("00000000-0000-0000-0000-000000000001")
    await happened(service, [f"OLD-{way}"])
    async with watcher(service, way, query, org_id=org_id) as watching_:
        await subscribed(service, watching_)
        groups = await happened(service, [f"OLD-{way}", f"A-{way}", f"B-{way}", f"A-{way}"])
        await until(lambda: len(watching_.told) >= 2)
        found = [each["errorGroupSeen"]["node"] for each in watching_.told]
        assert [each["id"] for each in found] == groups[1:3]
        assert [each["sample"]["lastErrorCode"] for each in found] == [f"A-{way}", f"B-{way}"]
        assert found[0]["trend"][-1] + found[0]["trend"][-2] >= 1


async def subscribed(service: Service, watching_: Watcher) -> None:
    feeds = service.state.hub._feeds
    await until(lambda: any(feed._subscribers for feed in feeds.values()))
