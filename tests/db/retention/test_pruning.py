"""Pruning: which jobs go, in which order, beside other processes, and after an interruption."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.admin_session import admin_session
from db.criteria import JobCriteria
from db.engine import Scope
from db.queries.aggregates import count_jobs_by_status
from db.queries.tallies import open_tallies
from db.request_session import RequestSession
from db.retention import pruning
from db.retention.policies import Policy, policy_of
from db.retention.pruner import Pace, prune
from db.retention.pruning import Outcome, count_prunable, create_prune_engine, prune_once
from db.retention.store import set_policy
from db.statuses import TERMINAL_STATUSES, JobStatus
from db.tallies.summing import sum_once
from tests.support.ledger import EPOCH, events, insert, job

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
EAGER = Pace(batch_size=7, pause_ratio=0)
Row = dict[str, Any]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_prune_engine(database_url)
    yield engine
    await engine.dispose()


async def keep(
    url: str, org_id: UUID, length: timedelta, status: str | None = None, type_: str | None = None
) -> Policy:
    wanted = Policy(uuid4(), None if status is None else JobStatus(status), type_, length)
    async with admin_session(url) as session:
        return await set_policy(session, org_id, wanted, EPOCH)


async def ended(url: str, count: int, org_id: UUID | None = None, **values: Any) -> list[Row]:
    """Write jobs that ended, the first a minute before the second, ten days ago."""
    whose = org_id or uuid4()
    rows = [
        job(
            org_id=whose,
            created_at=NOW - 11 * DAY,
            finished_at=NOW - 10 * DAY + timedelta(minutes=n),
            **{"status": "succeeded", **values},
        )
        for n in range(count)
    ]
    await insert(url, rows, [step for row in rows for step in events(row, "queued", "running")])
    return rows


async def left(owner: Any, org_id: UUID) -> list[UUID]:
    """The jobs that are left, the one that ended first before the others."""
    query = "SELECT id FROM job WHERE org_id = $1 ORDER BY finished_at, id"
    return [row["id"] for row in await owner.fetch(query, org_id)]


def ids(rows: Sequence[Row]) -> list[UUID]:
    return [row["id"] for row in rows]


async def prune_all(engine: AsyncEngine, org_id: UUID) -> Counter[Policy]:
    counts: Counter[Policy] = Counter()
    assert await prune(engine, org_id, EAGER, counts) is Outcome.DONE
    return counts


async def test_the_policies_decide(database_url: str, engine: AsyncEngine, owner: Any) -> None:
    org_id, other = uuid4(), uuid4()
    policies = [
        await keep(database_url, org_id, 30 * DAY, "succeeded"),
        await keep(database_url, org_id, 90 * DAY, "failed"),
        await keep(database_url, org_id, 5 * DAY, None, "report.*"),
        await keep(database_url, org_id, 50 * DAY, "failed", "report.*"),
        await keep(database_url, org_id, 200 * DAY, None, "report.yearly"),
    ]
    rows = [
        job(
            org_id=org_id,
            status=status,
            type=type_,
            created_at=NOW - (age + 1) * DAY,
            **({"finished_at": NOW - age * DAY} if JobStatus(status).is_terminal else {}),
        )
        for status in JobStatus
        for type_ in ("email.send", "report.daily", "report.yearly")
        for age in (1, 10, 40, 80, 300)
    ]
    theirs = [job(org_id=other, status="succeeded", finished_at=NOW - 300 * DAY)]
    await insert(database_url, [*rows, *theirs])
    expected: Counter[Policy] = Counter()
    kept = set()
    for row in rows:
        policy = policy_of(policies, row["status"], row["type"])
        is_ended = row["status"] in TERMINAL_STATUSES
        if is_ended and policy is not None and row["finished_at"] < NOW - policy.keep:
            expected[policy] += 1
        else:
            kept.add(row["id"])
    # All but the one whose policy only the oldest jobs of another type would meet.
    assert len(expected) == len(policies)
    dry: Counter[Policy] = Counter()
    assert await prune(engine, org_id, EAGER, dry, dry_run=True) is Outcome.DONE
    assert dry == expected
    assert len(await left(owner, org_id)) == len(rows)
    assert await prune_all(engine, org_id) == expected
    assert set(await left(owner, org_id)) == kept
    assert await left(owner, other) == ids(theirs)
    assert not await prune_all(engine, org_id)


async def test_without_a_policy_nothing_goes(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    rows = await ended(database_url, 3)
    org_id = rows[0]["org_id"]
    assert not await prune_all(engine, org_id)
    assert (await count_prunable(engine, org_id, NOW)).counts == {}
    assert await left(owner, org_id) == ids(rows)


async def test_what_ended_first_goes_first(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    rows = await ended(database_url, 10)
    org_id = rows[0]["org_id"]
    await keep(database_url, org_id, DAY)
    step = await prune_once(engine, org_id, NOW, batch_size=4)
    assert (step.outcome, sum(step.counts.values())) == (Outcome.MORE, 4)
    assert await left(owner, org_id) == ids(rows[4:])
    after = await prune_once(engine, org_id, NOW, step.after, batch_size=4)
    assert await left(owner, org_id) == ids(rows[8:])
    step = await prune_once(engine, org_id, NOW, after.after, batch_size=4)
    assert (step.outcome, await left(owner, org_id)) == (Outcome.DONE, [])


async def test_long_stretches_of_kept_jobs_are_passed(
    database_url: str, engine: AsyncEngine, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "MOST_READ", 12)
    org_id = uuid4()
    kept = await ended(database_url, 100, org_id, type="kept")
    gone = await ended(database_url, 20, org_id, type="gone", status="failed")
    policy = await keep(database_url, org_id, DAY, None, "gone")
    assert await prune_all(engine, org_id) == {policy: len(gone)}
    assert await left(owner, org_id) == ids(kept)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
async def test_an_interruption_loses_nothing(
    database_url: str, engine: AsyncEngine, owner: Any, steps: int
) -> None:
    """Between any two transactions, and within one."""
    rows = await ended(database_url, 40)
    org_id = rows[0]["org_id"]
    policy = await keep(database_url, org_id, DAY)
    counts: Counter[Policy] = Counter()
    after = None
    for _ in range(steps):
        step = await prune_once(engine, org_id, NOW, after, batch_size=7)
        after = step.after
        counts.update(step.counts)
    assert len(await left(owner, org_id)) == 40 - counts[policy]

    async def fail(*_args: Any) -> None:
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        # After the deletion, before its commit.
        patch.setattr("db.commands.deletion.notify", fail)
        with pytest.raises(asyncio.CancelledError):
            await prune(engine, org_id, EAGER, counts)
    assert await left(owner, org_id) == ids(rows[7 * steps :])
    assert counts == Counter({policy: 7 * steps} if steps else {})
    counts.update(await prune_all(engine, org_id))
    assert counts == {policy: 40}
    assert await left(owner, org_id) == []


async def test_a_cancelled_prune_tells_what_it_did(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    rows = await ended(database_url, 40)
    org_id = rows[0]["org_id"]
    await keep(database_url, org_id, DAY)
    counts: Counter[Policy] = Counter()
    running = asyncio.create_task(prune(engine, org_id, Pace(7, pause_ratio=1e9), counts))
    while not counts:  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert counts.total() == 7
    assert await left(owner, org_id) == ids(rows[7:])


async def test_two_processes_at_once(database_url: str, owner: Any) -> None:
    rows = await ended(database_url, 300)
    org_id = rows[0]["org_id"]
    policy = await keep(database_url, org_id, DAY)
    both: Counter[Policy] = Counter()

    async def process() -> None:
        engine = create_prune_engine(database_url)
        while await prune(engine, org_id, EAGER, both) is not Outcome.DONE:
            pass
        await engine.dispose()

    await asyncio.gather(process(), process())
    # None counted twice.
    assert both == {policy: 300}
    assert await left(owner, org_id) == []


async def test_one_process_prunes_at_a_time(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    rows = await ended(database_url, 3)
    org_id = rows[0]["org_id"]
    await keep(database_url, org_id, DAY)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock(hashtextextended('joblens prune', 0))")
        counts: Counter[Policy] = Counter()
        assert await prune(engine, org_id, EAGER, counts) is Outcome.BUSY
        assert not counts
    assert (await prune_all(engine, org_id)).total() == 3


async def test_what_changes_meanwhile_is_kept(
    database_url: str, engine: AsyncEngine, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = await ended(database_url, 6, status="failed")
    org_id = rows[0]["org_id"]
    policy = await keep(database_url, org_id, DAY, "failed", "email.send")
    list_jobs = pruning.list_jobs
    changes = [
        "status = 'queued', finished_at = NULL",
        "finished_at = now()",
        "status = 'canceled'",
        "type = 'other'",
    ]

    async def list_then_change(*args: Any) -> Any:
        found = await list_jobs(*args)
        for row, change in zip(rows, changes, strict=False):
            await owner.execute(f"UPDATE job SET {change} WHERE id = $1", row["id"])
        return found

    monkeypatch.setattr(pruning, "list_jobs", list_then_change)
    step = await prune_once(engine, org_id, NOW)
    assert step.counts == {policy: 2}
    assert set(await left(owner, org_id)) == set(ids(rows[:4]))


async def test_locked_jobs_are_passed_over(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    rows = await ended(database_url, 10)
    org_id = rows[0]["org_id"]
    await keep(database_url, org_id, DAY)
    async with owner.transaction():
        await owner.execute("SELECT FROM job WHERE id = ANY($1) FOR UPDATE", ids(rows[:2]))
        assert (await prune_all(engine, org_id)).total() == 8
    assert (await prune_all(engine, org_id)).total() == 2


async def test_sums_stay_right(database_url: str, engine: AsyncEngine, owner: Any) -> None:
    org_id = uuid4()
    gone = await ended(database_url, 9, org_id)
    await ended(database_url, 5, org_id, status="failed")
    await keep(database_url, org_id, DAY, "succeeded")
    # The events say `running` in the end: that is what is summed.
    await owner.execute("UPDATE job SET status = 'succeeded' WHERE id = ANY($1)", ids(gone))
    for row in gone:
        await owner.execute(
            "INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt)"
            " VALUES ($1, $2, 3, $3, 'running', 'succeeded', 1)",
            *(org_id, row["id"], row["finished_at"]),
        )
    step = await sum_once(engine, org_id, slice_events=10)
    # While the first sums are made, what is not summed yet stays.
    counts: Counter[Policy] = Counter()
    assert await prune(engine, org_id, EAGER, counts) is Outcome.TALLYING
    assert not counts
    while step.outcome.value != "done":
        step = await sum_once(engine, org_id, slice_events=10)
    created = "SELECT created FROM tally WHERE org_id = $1 AND key_id = 0 AND span = 0"
    before = await owner.fetchval(created, org_id)
    assert (await prune_all(engine, org_id)).total() == 9
    async with (
        RequestSession(engine, Scope(org_id, 60)) as session,
        session.use() as begun,
    ):
        assert await open_tallies(begun, org_id, None) is not None
        by_status = await count_jobs_by_status(begun, org_id, JobCriteria(), None)
    assert by_status[JobStatus.SUCCEEDED] == 0
    # Those of the past stay.
    assert before == 14
    days = "SELECT sum(created) FROM tally WHERE org_id = $1 AND key_id = 0 AND span = 1"
    assert await owner.fetchval(days, org_id) == 14
