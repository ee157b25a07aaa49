"""Reads of tallies: sums of events, and the events that are not summed yet, in one snapshot.

What they answer is exact. They know of a job its type, its queue and its changes of status.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SmallInteger,
    Text,
    case,
    cast,
    column,
    false,
    func,
    literal,
    not_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.dimensions import JobDimension
from db.queries.filters import Condition, event, is_any, job
from db.queries.own_jobs import has_own_job, own_job
from db.queries.rows import AnyRow, AnySelect, read
from db.queries.tally_keys import Key, are_known, find_keys, keys_of_jobs
from db.statements import TRANSACTION
from db.statuses import JobStatus
from db.tables import (
    PgSnapshot,
    job_event_table,
    tally_state_table,
    tally_table,
)
from db.tallies.spans import Span

# In the `info` of a session: how far its snapshot has summed events, by organisation.
_STATES = "joblens_tally_states"

tally = tally_table.c
state = tally_state_table.c


@dataclass(frozen=True, slots=True)
class Tallies:
    """The sums of the jobs that meet `criteria`, which have no condition on the status.

    `seen`: the snapshot of the events that are summed. `minutes_from`: from when on there are sums
    of minutes, if there are any. `errors_are_counted`: whether jobs are counted by their errors.
    `keys`: those of these jobs.
    """

    org_id: UUID
    seen: str
    minutes_from: datetime | None
    errors_are_counted: bool
    keys: Sequence[Key]
    criteria: JobCriteria | None

    @property
    def key_ids(self) -> list[int]:
        return [key.id for key in self.keys]


async def open_tallies(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    by: Collection[JobDimension] = (),
) -> Tallies | None:
    """Get the sums of the jobs that meet the criteria; None if there are none of just these.

    A condition on the status is left out: the caller picks the statuses. `by`: the dimensions in
    which these jobs are to be told apart. Sums and events must be read in one snapshot, so there
    are none either in transactions that write.
    """
    transaction = session.info.get(TRANSACTION)
    if transaction is None or not transaction.scope.read_only:
        return None
    chosen = None if criteria is None else replace(criteria, status=None)
    if chosen == JobCriteria():
        chosen = None
    if chosen is not None and not are_known(chosen):
        return None
    state = await _get_state(session, org_id)
    if state is None:
        return None
    keys = await find_keys(session, org_id, chosen, by)
    if keys is None:
        return None
    return Tallies(org_id, state.seen, state.minutes_from, state.errors_are_counted, keys, chosen)


def statuses_of(criteria: JobCriteria | None) -> Sequence[JobStatus]:
    """Return the statuses that the criteria allow, of which open_tallies leaves the choice."""
    if criteria is None or criteria.status is None:
        return list(JobStatus)
    return [status for status in JobStatus if status in criteria.status]


async def get_seen(session: AsyncSession, org_id: UUID) -> str | None:
    """Get the snapshot of the events that are summed; None if there are no sums."""
    state = await _get_state(session, org_id)
    return None if state is None else state.seen


async def _get_state(session: AsyncSession, org_id: UUID) -> AnyRow | None:
    known: dict[UUID, AnyRow | None] = session.info.setdefault(_STATES, {})
    if org_id not in known:
        known[org_id] = next(iter(await read(session, _state, org_id)), None)
    return known[org_id]


def _state(org_id: UUID) -> AnySelect:
    cluster: AnySelect = select(column("system_identifier")).select_from(func.pg_control_system())
    seen = cast(state.seen, Text())
    has_minutes = cast(state.minutes_seen, Text()) == seen
    minutes_from = case((has_minutes, state.minutes_from)).label("minutes_from")
    are_counted = func.coalesce(cast(state.errors_seen, Text()) == seen, false())
    return select(seen.label("seen"), minutes_from, are_counted.label("errors_are_counted")).where(
        state.org_id == org_id,
        state.cluster == cluster.scalar_subquery(),
        state.summed_until.is_(None),
    )


async def count_by_status(session: AsyncSession, tallies: Tallies) -> dict[JobStatus, int]:
    """Count the jobs by status."""
    (totals,) = await read(session, _totals, tallies.org_id, tallies.key_ids)
    counts = Counter({each: getattr(totals, each.value) for each in JobStatus})
    for change in await read(session, _changes, tallies.org_id, tallies.seen, tallies.criteria):
        counts[JobStatus(change.next_status)] += change.events
        if change.prev_status is not None:
            counts[JobStatus(change.prev_status)] -= change.events
    return counts


def _totals(org_id: UUID, keys: list[int]) -> AnySelect:
    of_keys = is_any(tally.key_id, keys, Integer())
    return select(*_remaining()).where(tally.org_id == org_id, _is_total(), of_keys)


def _remaining() -> list[ColumnElement[Any]]:
    """Sum up how many jobs are left in each status."""
    return [
        cast(
            func.coalesce(
                func.sum(tally[f"entered_{each.value}"] - tally[f"left_{each.value}"]), 0
            ),
            BigInteger(),
        ).label(each.value)
        for each in JobStatus
    ]


def _is_total() -> Condition:
    return tally.span == literal(int(Span.TOTAL), SmallInteger(), literal_execute=True)


def _changes(org_id: UUID, seen: str, criteria: JobCriteria | None) -> AnySelect:
    statement = select(event.prev_status, event.next_status, func.count().label("events")).where(
        *unsummed(org_id, seen)
    )
    if criteria is not None:
        statement = statement.where(has_own_job(org_id, criteria))
    return statement.group_by(event.prev_status, event.next_status)


def unsummed(org_id: UUID, seen: str) -> tuple[Condition, ...]:
    """Match the changes of status that a snapshot does not see."""
    return *unseen(org_id, seen), event.prev_status.is_distinct_from(event.next_status)


def unseen(org_id: UUID, seen: str) -> tuple[Condition, ...]:
    """Match the events that a snapshot does not see."""
    snapshot = cast(literal(seen, Text()), PgSnapshot())
    return (
        event.org_id == org_id,
        event.xid >= func.pg_snapshot_xmin(snapshot),
        not_(func.pg_visible_in_snapshot(event.xid, snapshot)),
    )


async def group_by_key(session: AsyncSession, tallies: Tallies) -> list[tuple[Key, AnyRow]]:
    """Count jobs by type, queue and status.

    Each row has a count for each status, and the key of its jobs. A key may have several rows, and
    what enters or leaves a status be in different ones.
    """
    named = {key.id: key for key in tallies.keys}
    summed = await read(session, _totals_by_key, tallies.org_id, tallies.key_ids)
    changes = await read(session, _changes_by_key, tallies.org_id, tallies.seen, tallies.criteria)
    of_changes = keys_of_jobs(tallies.keys, changes)
    return [*((named[row.key_id], row) for row in summed), *zip(of_changes, changes, strict=True)]


def _totals_by_key(org_id: UUID, keys: list[int]) -> AnySelect:
    of_keys = is_any(tally.key_id, keys, Integer())
    return (
        select(tally.key_id, *_remaining())
        .where(tally.org_id == org_id, _is_total(), of_keys)
        .group_by(tally.key_id)
    )


def _changes_by_key(org_id: UUID, seen: str, criteria: JobCriteria | None) -> AnySelect:
    columns = [
        (
            func.count().filter(event.next_status == literal(each.value, literal_execute=True))
            - func.count().filter(event.prev_status == literal(each.value, literal_execute=True))
        ).label(each.value)
        for each in JobStatus
    ]
    of_job = own_job(org_id, criteria, job.type, job.queue)
    return (
        select(*of_job.c, *columns)
        .select_from(job_event_table.join(of_job, true()))
        .where(*unsummed(org_id, seen))
        .group_by(*of_job.c)
    )
