"""The statements of db.queries.timelines: sums and events by bucket, and by series if wanted."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    cast,
    func,
    literal_column,
    select,
    true,
)

from db.criteria import JobCriteria
from db.queries.buckets import Buckets, Keys, Series, in_run
from db.queries.filters import Condition, event, job, of_jobs
from db.queries.own_jobs import has_own_job
from db.queries.rows import AnySelect
from db.queries.tallies import unsummed
from db.statuses import JobStatus
from db.tables import tally_table

tally = tally_table.c

Columns = list[ColumnElement[Any]]


def sums(org_id: UUID, keys: Keys, buckets: Buckets) -> AnySelect:
    """Add up the sums of these keys."""
    run, key = buckets.runs(), keys.table()
    bucket = buckets.index_of(tally.start)
    names = [each.name for each in tally if each.name not in {"org_id", "span", "key_id", "start"}]
    # In a subquery of its own, which reads one range of the index for each run and key.
    part = (
        select(bucket, *(func.sum(tally[name]).label(name) for name in names))
        .where(*in_run(tally_table, org_id, key, run))
        .group_by(bucket)
        .lateral("part")
    )
    groups: Columns = [part.c.bucket, *([] if keys.series is None else [key.c.series])]
    return (
        select(*groups, *(cast(func.sum(part.c[name]), BigInteger()).label(name) for name in names))
        .select_from(run.join(key, true()).join(part, true()))
        .group_by(*groups)
    )


def unsummed_events(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
) -> AnySelect:
    """Count the events that are not summed yet by change."""
    groups = [buckets.index_of(event.ts), *_change(org_id, series)]
    wanted = *unsummed(org_id, seen), *_meets(org_id, criteria), buckets.have(event.ts)
    return select(*groups, func.count().label("events")).where(*wanted).group_by(*groups)


def events(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
    are_few: bool,
    only_created: bool = False,
) -> AnySelect:
    """Count the events by change. Reads one index range for each run.

    `are_few`: whether the runs have few events; else criteria that few jobs meet are looked for
    first. `only_created`: only those that created a job.
    """
    run = buckets.runs()
    groups = [buckets.index_of(event.ts), *_change(org_id, series)]
    was = event.prev_status
    # In a subquery of its own: else PostgreSQL may read all events to join them with the runs.
    change = (
        select(*groups, func.count().label("events"))
        .where(
            event.org_id == org_id,
            event.ts >= run.c.start,
            event.ts < run.c.until,
            was.is_(None) if only_created else was.is_distinct_from(event.next_status),
            *_meets(org_id, criteria, one_by_one=are_few),
        )
        .group_by(*groups)
        .lateral("change")
    )
    return select(*change.c).select_from(run.join(change, true()))


def events_of_jobs(org_id: UUID, series: Series, buckets: Buckets) -> AnySelect:
    """Count the events as `sums` does, by the values that their jobs have for a series.

    Reads one index range for each run, and looks each job up once, however many events it has.
    """
    run = buckets.runs()
    groups = buckets.index_of(event.ts), event.job_id
    # With OFFSET in both, PostgreSQL, which cannot know how short a run is, reads no other jobs.
    of_job = (
        select(*groups, *_counts())
        .where(
            event.org_id == org_id,
            event.ts >= run.c.start,
            event.ts < run.c.until,
            event.prev_status.is_distinct_from(event.next_status),
        )
        .group_by(*groups)
        .offset(literal_column("0"))
        .lateral("of_job")
    )
    looked_up = (
        select(series.column(org_id))
        .where(job.org_id == org_id, job.id == of_job.c.job_id)
        .offset(literal_column("0"))
        .lateral("looked_up")
    )
    key = of_job.c.bucket, looked_up.c.series
    totals = (
        cast(func.sum(each), BigInteger()).label(each.name)
        for each in of_job.c
        if each.name not in {"bucket", "job_id"}
    )
    rows = run.join(of_job, true()).join(looked_up, true())
    return select(*key, *totals).select_from(rows).group_by(*key)


def _counts() -> Columns:
    """Count the events by the columns of a sum."""
    was_made = event.prev_status.is_(None)
    counts: Columns = [func.count().filter(was_made).label("created")]
    for change, status in (("entered", event.next_status), ("left", event.prev_status)):
        counts += [
            func.count().filter(status == literal_column(f"'{each}'")).label(f"{change}_{each}")
            for each in JobStatus
        ]
    return counts


# Where events are few, the job of each is looked up by its key. In a join PostgreSQL, which cannot
# know how short a run is, may read all jobs instead.


def _change(org_id: UUID, series: Series | None) -> Columns:
    """Return the columns of a change, and its series if some are wanted."""
    columns: Columns = [event.prev_status, event.next_status]
    if series is None:
        return columns
    value = select(series.column(org_id)).where(job.org_id == org_id, job.id == event.job_id)
    return [*columns, value.scalar_subquery().label("series")]


def _meets(
    org_id: UUID, criteria: JobCriteria | None, *, one_by_one: bool = True
) -> list[Condition]:
    if criteria is None:
        return []
    return [(has_own_job if one_by_one else of_jobs)(org_id, criteria)]
