"""Error groups: their sums, and the errors that are not summed yet."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import SmallInteger, Uuid, column, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.error_groups.occurrences import Occurrences, by_group, occurrences, smaller_xid
from db.queries.filters import is_any, job, job_conditions
from db.queries.jobs import JobRow, job_columns
from db.queries.rows import AnySelect, read
from db.queries.tallies import get_seen, unsummed
from db.tables import error_group_table, error_tally_table, job_event_table
from db.tallies.errors import MAX_TYPES
from db.tallies.spans import Span

group = error_group_table.c
sums = error_tally_table.c

NewErrors = Mapping[UUID, Occurrences]


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """A group of errors. `message`: what their messages have in common. `events`: how many.

    `first_xid`: the smallest id of a transaction that wrote one; None if one is not known.
    """

    id: UUID
    code: str | None
    message: str
    types: Sequence[str]
    events: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_xid: int | None

    @classmethod
    def of(cls, errors: Occurrences) -> Self:
        """Make a group of errors that are in no sum."""
        own, types = errors.fingerprint, sorted(errors.types)[:MAX_TYPES]
        times = errors.first_seen_at, errors.last_seen_at
        return cls(own.id, own.code, own.message, types, errors.events, *times, errors.first_xid)


async def read_new_errors(session: AsyncSession, org_id: UUID) -> NewErrors:
    """Read the errors that are in no sum yet: of few events, or of all before the first sums."""
    seen = await get_seen(session, org_id)
    if seen is None:
        return by_group(await read(session, _all_errors, org_id))
    return by_group(await read(session, _new_errors, org_id, seen))


def _all_errors(org_id: UUID) -> AnySelect:
    return occurrences(org_id, job_event_table.c)


def _new_errors(org_id: UUID, seen: str) -> AnySelect:
    return occurrences(org_id, job_event_table.c, *unsummed(org_id, seen), are_few=True)


async def list_error_groups(
    session: AsyncSession, org_id: UUID, new: NewErrors, criteria: JobCriteria | None
) -> list[ErrorGroup]:
    """List all groups; with criteria those that have the last error of a job that meets them."""
    found = await _with_new(session, org_id, new, None)
    if criteria is None:
        return found
    ids = [each.id for each in found]
    of_jobs = {row.id for row in await read(session, _having_jobs, org_id, ids, criteria)}
    return [each for each in found if each.id in of_jobs]


async def load_seen_group_ids(session: AsyncSession, org_id: UUID) -> set[UUID]:
    """Load the ids of all groups that had an error, also while their sums are made again."""
    summed = await read(session, _group_ids, org_id)
    return {row.id for row in summed}.union(await read_new_errors(session, org_id))


def _group_ids(org_id: UUID) -> AnySelect:
    return select(group.id).where(group.org_id == org_id)


async def load_error_groups(
    session: AsyncSession, org_id: UUID, ids: Sequence[UUID], new: NewErrors
) -> dict[UUID, ErrorGroup]:
    """Load groups by id."""
    wanted = {each: new[each] for each in ids if each in new}
    return {each.id: each for each in await _with_new(session, org_id, wanted, list(ids))}


async def _with_new(
    session: AsyncSession, org_id: UUID, new: NewErrors, ids: list[UUID] | None
) -> list[ErrorGroup]:
    summed = {}
    # Without sums, all errors are new.
    if await get_seen(session, org_id) is not None:
        rows = await read(session, _groups, org_id, ids)
        summed = {row.id: ErrorGroup(*row) for row in rows}
    for group_id, each in new.items():
        summed[group_id] = _merged(summed.get(group_id), each)
    return list(summed.values())


def _merged(known: ErrorGroup | None, new: Occurrences) -> ErrorGroup:
    if known is None:
        return ErrorGroup.of(new)
    return ErrorGroup(
        known.id,
        known.code,
        known.message,
        sorted({*known.types, *new.types})[:MAX_TYPES],
        known.events + new.events,
        min(known.first_seen_at, new.first_seen_at),
        max(known.last_seen_at, new.last_seen_at),
        smaller_xid(known.first_xid, new.first_xid),
    )


def _groups(org_id: UUID, ids: list[UUID] | None) -> AnySelect:
    statement = select(
        group.id,
        group.code,
        group.message,
        group.types,
        group.events,
        group.first_seen_at,
        group.last_seen_at,
        group.first_xid,
    ).where(group.org_id == org_id)
    return statement if ids is None else statement.where(is_any(group.id, ids, Uuid()))


def _having_jobs(org_id: UUID, ids: list[UUID], criteria: JobCriteria) -> AnySelect:
    wanted = _ids(ids)
    # With OFFSET each group is looked up by its index, until one job meets the criteria.
    first = (
        select(job.id)
        .where(job_conditions(org_id, criteria), job.error_group == wanted.c.id)
        .order_by(job.error_group, job.created_at.desc(), job.id.desc())
        .limit(literal(1))
        .lateral("first")
    )
    return select(wanted.c.id).select_from(wanted.join(first, true()))


async def load_samples(
    session: AsyncSession, org_id: UUID, ids: Sequence[UUID], columns: Iterable[str]
) -> dict[UUID, JobRow]:
    """Load the newest job whose last error is of each group, with these columns."""
    wanted = frozenset(columns) | {"error_group"}
    rows = await read(session, _samples, org_id, list(ids), wanted)
    return {row.error_group: row for row in rows}


def _samples(org_id: UUID, ids: list[UUID], columns: frozenset[str]) -> AnySelect:
    wanted = _ids(ids)
    newest = (
        select(*job_columns(columns))
        .where(job.org_id == org_id, job.error_group == wanted.c.id)
        .order_by(job.error_group, job.created_at.desc(), job.id.desc())
        .limit(literal(1))
        .lateral("newest")
    )
    return select(*newest.c).select_from(wanted.join(newest, true()))


async def load_error_trends(
    session: AsyncSession,
    org_id: UUID,
    ids: Sequence[UUID],
    edges: Sequence[datetime],
    span: Span,
    new: NewErrors,
) -> dict[UUID, list[int]]:
    """Count the errors of each group in the buckets between these times, made of whole spans."""
    counts: dict[UUID, Counter[int]] = {each: Counter() for each in ids}
    if await get_seen(session, org_id) is not None:
        given = list(ids), span.value, edges[0], edges[-1]
        for row in await read(session, _sums, org_id, *given):
            counts[row.error_group][_bucket(edges, row.start)] += row.events
    for each in ids:
        if each in new:
            for hour, events in new[each].hours.items():
                if edges[0] <= hour < edges[-1]:
                    counts[each][_bucket(edges, hour)] += events
    return {each: [own[n] for n in range(len(edges) - 1)] for each, own in counts.items()}


def _bucket(edges: Sequence[datetime], time: datetime) -> int:
    return bisect_right(edges, time) - 1


def _sums(org_id: UUID, ids: list[UUID], span: int, since: datetime, until: datetime) -> AnySelect:
    return select(sums.error_group, sums.start, sums.events).where(
        sums.org_id == org_id,
        is_any(sums.error_group, ids, Uuid()),
        sums.span == literal(span, SmallInteger()),
        sums.start >= since,
        sums.start < until,
    )


def _ids(ids: list[UUID]) -> Any:
    return (
        func.unnest(literal(ids, ARRAY(Uuid())))
        .table_valued(column("id", Uuid()), name="wanted")
        .render_derived()
    )
