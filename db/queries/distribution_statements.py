"""The statements of db.queries.distributions: durations in runs of time, by bucket and kind."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Uuid,
    and_,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.selectable import Subquery

from db.criteria import JobCriteria
from db.queries.buckets import Buckets, Keys, Series, in_run
from db.queries.filters import Condition, event, job, job_conditions
from db.queries.group_statements import PERCENTILES
from db.queries.own_jobs import own_job
from db.queries.rows import AnySelect
from db.queries.tallies import unsummed
from db.tables import job_event_table, job_table, tally_duration_table
from db.tallies.durations import began_of, bin_of, is_of_source, kind_of, seconds_between

duration = tally_duration_table.c

Columns = list[ColumnElement[Any]]


def exact(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
    are_few: bool,
) -> AnySelect:
    """Get the distribution of the durations that events of the runs ended.

    `are_few`: whether the runs have few events; then the job of each is looked up by its key. In a
    join PostgreSQL, which cannot know how short a run is, may read all jobs instead.
    """
    lasted = _of_runs(org_id, criteria, series, buckets, are_few=are_few)
    seconds = lasted.c.seconds
    groups = _groups(lasted, series)
    shares: ColumnElement[Any] = cast(list(PERCENTILES), ARRAY(Double()))
    return select(
        *groups,
        func.count().label("durations"),
        func.avg(seconds).label("avg"),
        func.min(seconds).label("min"),
        func.max(seconds).label("max"),
        func.percentile_cont(shares).within_group(seconds).label("percentiles"),
    ).group_by(*groups)


def binned(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
) -> AnySelect:
    """Count the durations that events of the runs, which have few events, ended, by bin."""
    return _binned(_of_runs(org_id, criteria, series, buckets, are_few=True), series)


def unsummed_binned(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
) -> AnySelect:
    """Count the durations that are in no sketch yet, by bin."""
    conditions = *unsummed(org_id, seen), buckets.have(event.ts)
    return _binned(_few_lasted(org_id, criteria, series, buckets, *conditions).subquery(), series)


def sketched(org_id: UUID, keys: Keys, buckets: Buckets) -> AnySelect:
    """Add up the sketches of these keys: `bins` with their `counts`."""
    run, key = buckets.runs(), keys.table()
    kept = _kept(org_id, keys, buckets, key, run)
    # As columns: PostgreSQL would keep the rows of a function in FROM before it reads them.
    each = (
        select(
            *_groups(kept, keys.series),
            func.unnest(kept.c.bins).label("bin"),
            func.unnest(kept.c.counts).label("durations"),
        )
        .select_from(run.join(key, true()).join(kept, true()))
        .subquery("each_bin")
    )
    groups = [*_groups(each, keys.series), each.c.bin]
    durations = cast(func.sum(each.c.durations), BigInteger()).label("durations")
    added = select(*groups, durations).group_by(*groups).subquery("added")
    own = _groups(added, keys.series)
    bins = func.array_agg(added.c.bin).label("bins")
    return select(*own, bins, func.array_agg(added.c.durations).label("counts")).group_by(*own)


def summed(org_id: UUID, keys: Keys, buckets: Buckets) -> AnySelect:
    """Get the sums and the bounds of the durations in the same sketches."""
    run, key = buckets.runs(), keys.table()
    kept = _kept(org_id, keys, buckets, key, run)
    groups = _groups(kept, keys.series)
    sums = (
        func.sum(kept.c.total).label("total"),
        func.min(kept.c.least).label("least"),
        func.max(kept.c.most).label("most"),
    )
    rows = run.join(key, true()).join(kept, true())
    return select(*groups, *sums).select_from(rows).group_by(*groups)


def _groups(rows: Any, series: object | None) -> Columns:
    return [rows.c.bucket, rows.c.kind, *([] if series is None else [rows.c.series])]


def _kept(org_id: UUID, keys: Keys, buckets: Buckets, key: Any, run: Any) -> Any:
    columns: Columns = [buckets.index_of(duration.start), duration.kind, duration.bins]
    columns += [duration.counts, duration.total, duration.least, duration.most]
    if keys.series is not None:
        columns.append(key.c.series)
    # With OFFSET, PostgreSQL reads one range of the index for each run and key.
    kept = select(*columns).where(*in_run(tally_duration_table, org_id, key, run))
    return kept.offset(literal_column("0")).lateral("kept")


def _of_runs(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
    *,
    are_few: bool,
) -> Subquery:
    run = buckets.runs()
    in_run = event.ts >= run.c.start, event.ts < run.c.until, event.org_id == org_id
    found = _few_lasted if are_few else _lasted
    lasted = found(org_id, criteria, series, buckets, *in_run).lateral("of_run")
    return select(*lasted.c).select_from(run.join(lasted, true())).subquery("lasted")


def _lasted(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
    *conditions: Condition,
) -> AnySelect:
    kind = kind_of(event)
    columns: Columns = [buckets.index_of(event.ts), kind.label("kind")]
    columns.append(_seconds(org_id).label("seconds"))
    if series is not None:
        columns.append(series.column(org_id))
    ended = (
        select(*columns)
        .join_from(job_event_table, job_table, and_(job.org_id == org_id, job.id == event.job_id))
        .where(kind.is_not(None), *conditions)
        # The run is that of the statement around it, two levels up.
        .correlate_except(job_event_table, job_table)
    )
    if criteria is not None:
        ended = ended.where(job_conditions(org_id, criteria))
    each = ended.subquery("ended")
    return select(*each.c).where(each.c.seconds.is_not(None))


def _few_lasted(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: Buckets,
    *conditions: Condition,
) -> AnySelect:
    values: Columns = [_seconds(org_id).label("seconds")]
    if series is not None:
        values.append(series.column(org_id))
    of_job = own_job(org_id, criteria, *values)
    kind = kind_of(event)
    ended = (
        select(buckets.index_of(event.ts), kind.label("kind"), *of_job.c)
        .select_from(job_event_table.join(of_job, true()))
        .where(kind.is_not(None), of_job.c.seconds.is_not(None), *conditions)
    )
    # With OFFSET, PostgreSQL reads one range of the index for each run.
    return ended.correlate_except(job_event_table).offset(literal_column("0"))


def _seconds(org_id: UUID) -> ColumnElement[float | None]:
    return seconds_between(began_of(event, literal(org_id, Uuid())), event.ts, is_of_source())


def _binned(lasted: Any, series: Series | None) -> AnySelect:
    seconds = lasted.c.seconds
    groups = [*_groups(lasted, series), bin_of(seconds).label("bin")]
    return select(
        *groups,
        func.count().label("durations"),
        func.sum(seconds).label("total"),
        func.min(seconds).label("least"),
        func.max(seconds).label("most"),
    ).group_by(*groups)
