"""The jobs that have an error, as they are counted; and those that events changed since then."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Integer,
    Subquery,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from db.criteria import JobCriteria
from db.queries.dimensions import JobDimension
from db.queries.filters import event, is_any, job, job_conditions, status_conditions
from db.queries.rows import AnySelect
from db.queries.tallies import unseen
from db.tables import error_job_table, error_job_tally_table, tally_key_table

key = tally_key_table.c
_ONE = literal_column("1", BigInteger()).label("jobs")
_MINUS_ONE = literal_column("-1", BigInteger()).label("jobs")


def counted_jobs(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    pairs: list[int] | None,
    keyed: Collection[JobDimension],
) -> Subquery:
    """Select how many jobs have an error and a status, in rows that are to be added up.

    `jobs` is negative where they are counted in another row, too. `pairs`: the keys of the jobs
    that meet the criteria, or None for any; `keyed`: the dimensions of these keys to select.
    """
    changed = select(event.job_id).where(*unseen(org_id, seen)).distinct().cte("changed")
    tally, counted = error_job_tally_table.c, error_job_table.c
    now = select(
        *(job[each.value] for each in keyed),
        job.status,
        job.last_error_code,
        job.error_group,
        _ONE,
    ).where(
        job_conditions(org_id, criteria),
        job.id == changed.c.job_id,
        or_(job.last_error_code.is_not(None), job.error_group.is_not(None)),
    )
    before = _kept(org_id, counted, criteria, pairs, keyed, _MINUS_ONE).where(
        counted.job_id == changed.c.job_id
    )
    parts = (
        _kept(org_id, tally, criteria, pairs, keyed, tally.jobs),
        _of_each(changed, before),
        _of_each(changed, now),
    )
    return union_all(*parts).subquery("counted")


def _of_each(changed: CTE, rows: AnySelect) -> AnySelect:
    """Select the rows of each changed job, looked up one by one as db.queries.own_jobs does."""
    found = rows.correlate(changed).offset(literal_column("0")).lateral("of_job")
    return select(*found.c).select_from(changed.join(found, true()))


def _kept(
    org_id: UUID,
    counted: Any,
    criteria: JobCriteria | None,
    pairs: list[int] | None,
    keyed: Collection[JobDimension],
    jobs: Any,
) -> Any:
    statuses = criteria.status if criteria is not None else None
    kept = select(
        *(key[each.value] for each in keyed),
        counted.status,
        counted.error_code.label("last_error_code"),
        counted.error_group,
        jobs,
    ).where(counted.org_id == org_id, *status_conditions(counted.status, statuses))
    if keyed:
        kept = kept.where(key.org_id == org_id, key.id == counted.key_id)
    return kept if pairs is None else kept.where(is_any(counted.key_id, pairs, Integer()))
