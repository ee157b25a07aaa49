"""Sums the events of one organisation, one transaction at a time.

The first sums are made of slices of the events by time, as of one snapshot, so that this can be
interrupted at any point. From then on each transaction sums what no sum has yet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.database_errors import (
    UNIQUE_VIOLATION,
    DatabaseUnavailableError,
    is_retryable,
    sqlstate,
)
from db.engine import Scope
from db.request_session import RequestSession
from db.tallies import error_jobs, statements
from db.tallies.errors import add_errors, group_older_jobs
from db.tallies.keys import Pair, new_keys
from db.tallies.spans import Span, first_minute
from db.tallies.state import State, lock
from db.tallies.usual import refresh_usual

# How many events a transaction of the first sums adds, but for those of one time.
SLICE_EVENTS = 200_000
STATEMENT_TIMEOUT_SECONDS = 600.0
MAX_KEYS = 1_000


class Outcome(Enum):
    """What one transaction did.

    BUSY: another process sums this organisation. FOREIGN: it has events restored from another
    server, which cannot be summed until db.restored_events clears their transaction ids.
    """

    DONE = "done"
    MORE = "more"
    BUSY = "busy"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one transaction. `until`: up to which time the first sums are made."""

    outcome: Outcome
    until: datetime | None = None


async def sum_once(
    engine: AsyncEngine,
    org_id: UUID,
    *,
    max_keys: int = MAX_KEYS,
    slice_events: int = SLICE_EVENTS,
    now: datetime | None = None,
) -> Step:
    """Run one transaction of the sums. MORE: there are events left to sum.

    `now`: before which sums of minutes are kept; unless given, the present.
    """
    minutes_from = first_minute(now or datetime.now(UTC))
    scope = Scope(org_id, STATEMENT_TIMEOUT_SECONDS, read_only=False, one_snapshot=True)
    try:
        async with RequestSession(engine, scope) as session:
            async with session.use() as begun:
                step = await _step(begun, org_id, max_keys, slice_events, minutes_from)
            await session.commit()
    except Exception as error:
        # Another process has changed or begun the sums since the snapshot of this transaction.
        cause = error.__cause__ if isinstance(error, DatabaseUnavailableError) else error
        assert cause is not None
        if is_retryable(cause, idempotent=False) or sqlstate(cause) == UNIQUE_VIOLATION:
            return Step(Outcome.BUSY)
        raise
    return step


async def _step(
    session: AsyncSession, org_id: UUID, max_keys: int, slice_events: int, minutes_from: datetime
) -> Step:
    own = {"org_id": org_id}
    if not (await session.execute(statements.TAKE_TURN, own)).scalar_one():
        return Step(Outcome.BUSY)
    await session.execute(statements.PLAN_EACH)
    if (await session.execute(statements.IS_FOREIGN, own)).scalar_one():
        return Step(Outcome.FOREIGN)
    state = await lock(session, org_id)
    if state is None:
        return await _begin(session, org_id, max_keys)
    if state.summed_until is not None:
        step = await _sum_slice(session, org_id, state, max_keys, slice_events)
        if step.outcome is Outcome.MORE:
            return step
    kept_from = await _keep_minutes(session, org_id, state, minutes_from)
    if kept_from != state.minutes_from:
        # Once an hour, as minutes are dropped.
        await error_jobs.drop_empty(session, org_id)
    if state.summed_until is None:
        given = {**own, "seen": state.seen, "minutes_from": kept_from}
        await add(session, statements.UNSUMMED, list(Span), max_keys, given)
        if state.errors_are_counted:
            await error_jobs.count_changed(session, statements.UNSUMMED, given)
        else:
            await error_jobs.count_all(session, org_id)
        await session.execute(statements.SUM_UP, own)
    await refresh_usual(session, org_id)
    # After the first sums, the next transaction counts the jobs by their errors.
    return Step(Outcome.DONE if state.summed_until is None else Outcome.MORE)


async def forget(engine: AsyncEngine, org_id: UUID) -> None:
    """Delete the organisation's sums, which are then made again."""
    scope = Scope(org_id, STATEMENT_TIMEOUT_SECONDS, read_only=False)
    async with RequestSession(engine, scope) as session:
        async with session.use() as begun:
            for each in statements.FORGET:
                await begun.execute(each, {"org_id": org_id})
        await session.commit()


async def event_times(engine: AsyncEngine, org_id: UUID) -> tuple[datetime, datetime]:
    """Get the times of the first and the last event of an organisation that has some."""
    scope = Scope(org_id, STATEMENT_TIMEOUT_SECONDS)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        times = await begun.execute(statements.FIRST_AND_LAST, {"org_id": org_id})
        first, last = times.one()
        return first, last


async def _begin(session: AsyncSession, org_id: UUID, max_keys: int) -> Step:
    own = {"org_id": org_id}
    if await group_older_jobs(session, org_id):
        return Step(Outcome.MORE)
    for forget in statements.FORGET:
        await session.execute(forget, own)
    await session.execute(statements.BEGIN, own)
    pairs = (await session.execute(statements.PAIRS_BY_SIZE, own)).all()
    await _add_keys(session, org_id, [(row.type, row.queue) for row in pairs], max_keys)
    await session.execute(statements.sum_jobs(), own)
    return Step(Outcome.MORE)


async def _sum_slice(
    session: AsyncSession, org_id: UUID, state: State, max_keys: int, slice_events: int
) -> Step:
    start = {"org_id": org_id, "since": state.summed_until}
    end = await session.execute(statements.SLICE_END, {**start, "events": slice_events})
    until = end.scalar_one_or_none()
    given = {**start, "until": until, "seen": state.seen}
    # The totals are there, of all jobs.
    await add(session, statements.SLICE, [Span.DAY, Span.HOUR], max_keys, given)
    await session.execute(statements.SUM_UNTIL, {"org_id": org_id, "until": until})
    return Step(Outcome.DONE if until is None else Outcome.MORE, until)


async def _keep_minutes(
    session: AsyncSession, org_id: UUID, state: State, wanted_from: datetime
) -> datetime:
    """Drop sums of minutes that are too old, or make the first ones; return from when there are."""
    kept_from = state.minutes_from
    if kept_from is not None and kept_from >= wanted_from:
        return kept_from
    given = {"org_id": org_id, "minutes_from": wanted_from}
    # Those that a process of an older version has not gone on with are made again.
    dropped_until = None if kept_from is None else wanted_from
    for drop in statements.DROP_MINUTES:
        await session.execute(drop, {**given, "minutes_from": dropped_until})
    if kept_from is None:
        summing = statements.sum_events(statements.OF_MINUTES, [Span.MINUTE])
        await session.execute(summing, {**given, "seen": state.seen})
    await session.execute(statements.KEEP_MINUTES, given)
    return wanted_from


async def add(
    session: AsyncSession, which: str, spans: list[Span], max_keys: int, given: dict[str, Any]
) -> None:
    """Add events to the sums, and their errors to the groups; give keys to pairs that have none."""
    await add_errors(session, which, given)
    summing = statements.sum_events(which, spans)
    async with session.begin_nested() as savepoint:
        if not (await session.execute(summing, given)).scalar_one():
            return
        await savepoint.rollback()
    pairs = await session.execute(statements.pairs_without_key(which), given)
    await _add_keys(session, given["org_id"], [(row.type, row.queue) for row in pairs], max_keys)
    await session.execute(summing, given)


async def _add_keys(session: AsyncSession, org_id: UUID, pairs: list[Pair], max_keys: int) -> None:
    own = {"org_id": org_id}
    rows = (await session.execute(statements.KEYS, own)).all()
    known = {(row.type, row.queue): row.id for row in rows}
    added = new_keys(pairs, known, max_keys)
    if not added:
        return
    known |= added
    given = {
        "key_ids": list(added.values()),
        "types": [type_ for type_, _ in added],
        "queues": [queue for _, queue in added],
        "type_keys": [known[key[0], None] if None not in key else None for key in added],
        "queue_keys": [known[None, key[1]] if None not in key else None for key in added],
    }
    await session.execute(statements.ADD_KEYS, {**own, **given})
