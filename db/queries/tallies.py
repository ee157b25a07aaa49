"""Reads of tallies: sums of events, and the events that are not summed yet, in one snapshot.

What they answer is exact. They know of a job its type, its queue and its changes of status.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SmallInteger,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.filters import (
    Condition,
    event,
    is_any,
    job,
    job_conditions,
    of_jobs,
    text_conditions,
)
from db.queries.rows import AnyRow, AnySelect, read, read_one
from db.statements import TRANSACTION
from db.statuses import JobStatus
from db.tables import (
    PgSnapshot,
    job_event_table,
    job_table,
    tally_key_table,
    tally_state_table,
    tally_table,
)
from db.tallies.keys import ALL, OTHERS
from db.tallies.spans import Span

# In the `info` of a session: what its snapshot has summed, by organisation.
_SEEN = "joblens_tallies_seen"
_COMBINED = frozenset({"and_", "or_", "not_"})
_KNOWN = _COMBINED | {"type", "queue"}

tally = tally_table.c
key = tally_key_table.c
state = tally_state_table.c


@dataclass(frozen=True, slots=True)
class Tallies:
    """The sums of the jobs that meet `criteria`, which have no condition on the status.

    `seen`: the snapshot of the events that are summed. `keys`: those of these jobs.
    """

    org_id: UUID
    seen: str
    keys: list[int]
    criteria: JobCriteria | None

    def keys_of(self, *, by_key: bool) -> list[int] | None:
        """Return the keys to read; None for each one of all jobs, if they are wanted by key."""
        return None if by_key and self.criteria is None else self.keys


async def open_tallies(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None
) -> Tallies | None:
    """Get the sums of the jobs that meet the criteria; None if there are none of just these.

    A condition on the status is left out: the caller picks the statuses. Sums and events must be
    read in one snapshot, so there are none either in transactions that write.
    """
    transaction = session.info.get(TRANSACTION)
    if transaction is None or not transaction.scope.read_only:
        return None
    chosen = None if criteria is None else replace(criteria, status=None)
    if chosen == JobCriteria():
        chosen = None
    if chosen is not None and not _is_known(chosen):
        return None
    seen = await _get_seen(session, org_id)
    if seen is None:
        return None
    if chosen is None:
        return Tallies(org_id, seen, [ALL], None)
    rows = await read(session, _keys, org_id, chosen)
    if not _is_decided(rows, chosen):
        return None
    return Tallies(org_id, seen, [row.id for row in rows if row.matches], chosen)


def statuses_of(criteria: JobCriteria | None) -> Sequence[JobStatus]:
    """Return the statuses that the criteria allow, of which open_tallies leaves the choice."""
    if criteria is None or criteria.status is None:
        return list(JobStatus)
    return [status for status in JobStatus if status in criteria.status]


async def _get_seen(session: AsyncSession, org_id: UUID) -> str | None:
    known: dict[UUID, str | None] = session.info.setdefault(_SEEN, {})
    if org_id not in known:
        known[org_id] = await read_one(session, _seen, org_id)
    return known[org_id]


def _seen(org_id: UUID) -> AnySelect:
    cluster: AnySelect = select(column("system_identifier")).select_from(func.pg_control_system())
    return select(cast(state.seen, Text()).label("seen")).where(
        state.org_id == org_id,
        state.cluster == cluster.scalar_subquery(),
        state.summed_until.is_(None),
    )


def _is_known(criteria: JobCriteria) -> bool:
    given = {each.name for each in fields(criteria) if getattr(criteria, each.name) is not None}
    parts = (
        *(criteria.and_ or ()),
        *(criteria.or_ or ()),
        *((criteria.not_,) if criteria.not_ else ()),
    )
    return given <= _KNOWN and all(map(_is_known, parts))


def _is_decided(rows: Sequence[AnyRow], criteria: JobCriteria) -> bool:
    """Return whether the keys decide which jobs meet the criteria, although some are OTHERS."""
    if not any(OTHERS in (row.type, row.queue) for row in rows):
        return True
    given = {each.name for each in fields(criteria) if getattr(criteria, each.name) is not None}
    if given != {"type"} or criteria.type is None:
        return False
    names = {*(criteria.type.in_ or ()), *((criteria.type.eq,) if criteria.type.eq else ())}
    return bool(names) and names <= {row.type for row in rows} - {OTHERS}


def _keys(org_id: UUID, criteria: JobCriteria) -> AnySelect:
    matches = _key_condition(criteria).label("matches")
    return select(key.id, key.type, key.queue, matches).where(key.org_id == org_id)


def _key_condition(criteria: JobCriteria) -> Condition:
    return and_(true(), *_key_conditions(criteria))


def _key_conditions(criteria: JobCriteria) -> Iterator[Condition]:
    yield from text_conditions(key.type, criteria.type)
    yield from text_conditions(key.queue, criteria.queue)
    yield from (_key_condition(each) for each in criteria.and_ or ())
    if criteria.or_ is not None:
        yield or_(*(_key_condition(each) for each in criteria.or_), not_(true()))
    if criteria.not_ is not None:
        yield not_(_key_condition(criteria.not_))


async def count_by_status(session: AsyncSession, tallies: Tallies) -> dict[JobStatus, int]:
    """Count the jobs by status."""
    (totals,) = await read(session, _totals, tallies.org_id, tallies.keys)
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
        statement = statement.where(of_jobs(org_id, criteria))
    return statement.group_by(event.prev_status, event.next_status)


def unsummed(org_id: UUID, seen: str) -> tuple[Condition, ...]:
    """Match the changes of status that a snapshot does not see."""
    snapshot = cast(literal(seen, Text()), PgSnapshot())
    return (
        event.org_id == org_id,
        event.xid >= func.pg_snapshot_xmin(snapshot),
        not_(func.pg_visible_in_snapshot(event.xid, snapshot)),
        event.prev_status.is_distinct_from(event.next_status),
    )


async def group_by_key(session: AsyncSession, tallies: Tallies) -> list[AnyRow]:
    """Count jobs by type, queue and status.

    Rows have `type`, `queue` and a count for each status. A pair may be in several rows, and what
    enters or leaves a status in different ones.
    """
    keys = tallies.keys_of(by_key=True)
    summed = await read(session, _totals_by_key, tallies.org_id, keys)
    changes = await read(session, _changes_by_key, tallies.org_id, tallies.seen, tallies.criteria)
    return [*summed, *changes]


def _totals_by_key(org_id: UUID, keys: list[int] | None) -> AnySelect:
    statement = select(key.type, key.queue, *_remaining()).join_from(
        tally_table, tally_key_table, and_(key.org_id == org_id, key.id == tally.key_id)
    )
    statement = statement.where(tally.org_id == org_id, _is_total())
    if keys is not None:
        statement = statement.where(is_any(tally.key_id, keys, Integer()))
    return statement.group_by(key.type, key.queue)


def _changes_by_key(org_id: UUID, seen: str, criteria: JobCriteria | None) -> AnySelect:
    columns = [
        (
            func.count().filter(event.next_status == literal(each.value, literal_execute=True))
            - func.count().filter(event.prev_status == literal(each.value, literal_execute=True))
        ).label(each.value)
        for each in JobStatus
    ]
    statement = (
        select(job.type, job.queue, *columns)
        .join_from(job_event_table, job_table, and_(job.org_id == org_id, job.id == event.job_id))
        .where(*unsummed(org_id, seen))
    )
    if criteria is not None:
        statement = statement.where(job_conditions(org_id, criteria))
    return statement.group_by(job.type, job.queue)
