"""Aggregates of jobs: counts by status, and groups by dimensions."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.alternatives import job_ranges
from db.queries.counts import up_to
from db.queries.dimensions import ERRORS, KEYED, REST, SPARSE, TALLIED, JobDimension
from db.queries.filters import job, job_conditions
from db.queries.group_statements import all_groups, error_groups, sparse_groups
from db.queries.keyset import JOBS_NEWEST_FIRST
from db.queries.rows import AnyRow, AnySelect, read, row_type
from db.queries.tags import count_jobs_with_tags
from db.queries.tallies import (
    Tallies,
    count_by_status,
    group_by_key,
    open_tallies,
    statuses_of,
)
from db.queries.tally_keys import Key, find_pairs
from db.statuses import JobStatus

# Jobs by their status; None: of any.
_Counts: TypeAlias = Counter[JobStatus | None]


async def count_jobs_by_status(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> dict[JobStatus, int]:
    """Count jobs by status; with `at_most`, counting may stop at `at_most` + 1 per status.

    Statuses without jobs may be omitted. Reads tallies if they know these jobs. Else, with
    `at_most` and no criteria besides status, it reads at most that many index entries per status.
    """
    tallies = await open_tallies(session, org_id, criteria)
    if tallies is not None:
        counts = await count_by_status(session, tallies)
        return {status: counts[status] for status in statuses_of(criteria)}
    is_located = criteria is not None and criteria.locations is not None
    if at_most is None or is_located:
        # Located jobs are read once, not for each status.
        by_status = await count_jobs_with_tags(session, criteria)
        if by_status is not None:
            return by_status
        rows = await read(session, _counts, org_id, criteria)
    else:
        rows = await read(session, _bounded_counts, org_id, criteria, at_most + 1)
    return {JobStatus(row.status): row.jobs for row in rows}


def _counts(org_id: UUID, criteria: JobCriteria | None) -> AnySelect:
    statement = select(job.status, func.count().label("jobs"))
    return statement.where(job_conditions(org_id, criteria)).group_by(job.status)


def _bounded_counts(org_id: UUID, criteria: JobCriteria | None, most: int) -> AnySelect:
    # In index order for each status: otherwise PostgreSQL may scan the whole table.
    order = JOBS_NEWEST_FIRST
    whole, wanted = criteria or JobCriteria(), statuses_of(criteria)
    parts = [replace(whole, status=[each] if each in wanted else []) for each in JobStatus]
    of_status = (
        job_ranges(select(job.status), org_id, part, order, up_to(most, order)).first(most)
        for part in parts
    )
    matches = union_all(*(select(each.subquery()) for each in of_status)).subquery("matches")
    return select(matches.c.status, func.count().label("jobs")).group_by(matches.c.status)


async def group_jobs(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    *,
    limit: int,
    now: datetime,
    with_statuses: bool,
    with_times: bool,
    with_wait: bool,
    with_run: bool,
) -> Sequence[AnyRow]:
    """Group jobs by the dimensions, largest groups first.

    Rows have the dimensions' columns and `jobs`; with `with_statuses` a count for each status (such
    as `queued_count`), with `with_times` `oldest_created_at` and `newest_created_at`, and with
    `with_wait` (`with_run`) the distribution in seconds as `wait_count`, `wait_avg`, `wait_min`,
    `wait_max` and `wait_percentiles` (`run_…`).

    Reads every job that meets the criteria, unless nothing but counts by TALLIED dimensions and one
    of SPARSE is wanted and there are tallies of these jobs. Then it reads only the jobs whose value
    of the latter is not that of REST, by an index; of ERRORS, the counts of these jobs. `now`: of
    the health.
    """
    by = tuple(dimensions)
    wanted = with_times, with_wait, with_run
    if not any(wanted) and TALLIED.issuperset(set(by) - SPARSE) and len(SPARSE & set(by)) <= 1:
        tallies = await open_tallies(session, org_id, criteria, KEYED.intersection(by))
        if tallies is not None:
            asked = criteria, by, limit, now, with_statuses
            return await _tallied_groups(session, tallies, *asked)
    asked_for = with_statuses, *wanted
    return await read(session, all_groups, org_id, criteria, by, limit, now, *asked_for)


async def _tallied_groups(
    session: AsyncSession,
    tallies: Tallies,
    criteria: JobCriteria | None,
    by: Sequence[JobDimension],
    limit: int,
    now: datetime,
    with_statuses: bool,
) -> list[AnyRow]:
    groups = _counted(await group_by_key(session, tallies), by, statuses_of(criteria))
    for sparse in SPARSE.intersection(by):
        # What has no other value is the rest.
        are_counted = with_statuses and JobDimension.STATUS not in by
        asked = tallies, criteria, by, sparse, limit, now, are_counted
        for row in await _sparse_groups(session, *asked):
            counts = _counts_of(row, by, are_counted)
            if row.is_sum:
                of_rest = (REST[each] if each is sparse else getattr(row, each) for each in by)
                groups[tuple(of_rest)].subtract(counts)
            else:
                groups[tuple(getattr(row, each) for each in by)] = counts
    names = [each.value for each in by]
    statuses = list(JobStatus) if with_statuses else []
    make = row_type((*names, "jobs", *(f"{status.value}_count" for status in statuses)))
    # As PostgreSQL orders them: nulls last.
    largest = sorted(
        ((key, counts) for key, counts in groups.items() if counts.total()),
        key=lambda group: (-group[1].total(), [(value is None, value) for value in group[0]]),
    )
    return [
        make(*key, counts.total(), *(counts[status] for status in statuses))
        for key, counts in largest[:limit]
    ]


async def _sparse_groups(
    session: AsyncSession,
    tallies: Tallies,
    criteria: JobCriteria | None,
    by: Sequence[JobDimension],
    sparse: JobDimension,
    limit: int,
    now: datetime,
    with_statuses: bool,
) -> Sequence[AnyRow]:
    org_id = tallies.org_id
    if sparse in ERRORS and tallies.errors_are_counted:
        any_pair = tallies.criteria is None and not KEYED.intersection(by)
        pairs = None if any_pair else await find_pairs(session, org_id, tallies.criteria)
        if any_pair or pairs is not None:
            asked = tallies.seen, criteria, pairs, by, sparse, limit, with_statuses
            return await read(session, error_groups, org_id, *asked)
    return await read(
        session, sparse_groups, org_id, criteria, by, sparse, limit, now, with_statuses
    )


def _counts_of(row: AnyRow, by: Sequence[JobDimension], are_counted: bool) -> _Counts:
    if are_counted:
        return Counter({each: getattr(row, f"{each.value}_count") for each in JobStatus})
    return Counter({JobStatus(row.status) if JobDimension.STATUS in by else None: row.jobs})


def _counted(
    rows: Sequence[tuple[Key, AnyRow]], by: Sequence[JobDimension], statuses: Sequence[JobStatus]
) -> dict[tuple[Any, ...], _Counts]:
    """Group rows that have a count for each status, with their keys. What is sparse is REST."""
    groups: dict[tuple[Any, ...], _Counts] = defaultdict(Counter)
    for of_row, row in rows:
        for status in statuses:
            values = {**REST, JobDimension.STATUS: status.value}
            values |= {each: getattr(of_row, each) for each in KEYED}
            key = tuple(values[dimension] for dimension in by)
            groups[key][status] += getattr(row, status.value)
    return groups
