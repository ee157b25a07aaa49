"""Counts the jobs that have an error, by the error and the status, in the keys of the sums.

`error_job` has each of them as it is counted. So whatever changed a job, what is counted now takes
the place of what was counted before.
"""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from db.tallies.joins import JOINED_KEYS, KEY
from db.tallies.state import lock_to_correct
from db.tallies.typed_sql import typed_sql

_OWN = "event.org_id = :org_id"
_COUNTED = "key_id, error_code, error_group, status"
_ADD = f"""
ON CONFLICT (org_id, {_COUNTED}) DO UPDATE SET jobs = kept.jobs + excluded.jobs
"""
_GIVEN = "SELECT unnest(CAST(:job_ids AS uuid[])) AS id"
_DROP_EMPTY = typed_sql("DELETE FROM error_job_tally WHERE org_id = :org_id AND jobs = 0")
_DROP = tuple(
    typed_sql(f"DELETE FROM {table} WHERE org_id = :org_id")
    for table in ("error_job", "error_job_tally")
)
# Each condition has its index.
_COUNT_ALL = typed_sql(f"""
WITH job AS (
    SELECT id, type, queue, status, last_error_code, error_group FROM job
    WHERE job.org_id = :org_id AND error_group IS NOT NULL
    UNION ALL
    SELECT id, type, queue, status, last_error_code, error_group FROM job
    WHERE job.org_id = :org_id AND error_group IS NULL AND last_error_code IS NOT NULL
), counted AS MATERIALIZED (
    SELECT job.id, {KEY} AS key_id, last_error_code AS error_code, error_group, status
    FROM job {JOINED_KEYS}
), written AS (
    INSERT INTO error_job (org_id, job_id, {_COUNTED})
    SELECT :org_id, id, {_COUNTED} FROM counted WHERE key_id <> -1
)
INSERT INTO error_job_tally (org_id, {_COUNTED}, jobs)
SELECT :org_id, {_COUNTED}, count(*) FROM counted WHERE key_id <> -1 GROUP BY {_COUNTED}
""")
_UNCOUNT = typed_sql(f"""
WITH gone AS (
    DELETE FROM error_job WHERE org_id = :org_id AND job_id = ANY (:job_ids)
    RETURNING {_COUNTED}
)
INSERT INTO error_job_tally AS kept (org_id, {_COUNTED}, jobs)
SELECT :org_id, {_COUNTED}, - count(*) FROM gone GROUP BY {_COUNTED} {_ADD}
""")


def _count(ids: str) -> TextClause:
    """Count jobs as they are now. Those without a key have events that are to be summed."""
    return typed_sql(f"""
    WITH touched AS MATERIALIZED ({ids}), before AS MATERIALIZED (
        SELECT job_id, {_COUNTED} FROM error_job
        WHERE org_id = :org_id AND job_id = ANY (ARRAY(SELECT id FROM touched))
    ), job AS MATERIALIZED (
        SELECT id, type, queue, status, last_error_code, error_group FROM job
        WHERE job.org_id = :org_id AND job.id = ANY (ARRAY(SELECT id FROM touched))
        AND (last_error_code IS NOT NULL OR error_group IS NOT NULL)
    ), counted AS MATERIALIZED (
        SELECT * FROM (
            SELECT job.id, {KEY} AS key_id, last_error_code AS error_code, error_group, status
            FROM job {JOINED_KEYS}
        ) AS keyed WHERE key_id <> -1
    ), dropped AS (
        DELETE FROM error_job WHERE org_id = :org_id AND job_id = ANY (ARRAY(
            SELECT job_id FROM before EXCEPT SELECT id FROM counted
        ))
    ), written AS (
        INSERT INTO error_job AS kept (org_id, job_id, {_COUNTED})
        SELECT :org_id, changed.* FROM (
            SELECT id, {_COUNTED} FROM counted EXCEPT SELECT job_id, {_COUNTED} FROM before
        ) AS changed
        ON CONFLICT (org_id, job_id) DO UPDATE SET key_id = excluded.key_id,
            error_code = excluded.error_code, error_group = excluded.error_group,
            status = excluded.status
    )
    INSERT INTO error_job_tally AS kept (org_id, {_COUNTED}, jobs)
    SELECT :org_id, {_COUNTED}, sum(change) FROM (
        SELECT {_COUNTED}, 1 AS change FROM counted
        UNION ALL SELECT {_COUNTED}, -1 FROM before
    ) AS changes GROUP BY {_COUNTED} HAVING sum(change) <> 0 {_ADD}
    """)


_COUNT_GIVEN = _count(_GIVEN)


async def count_all(session: AsyncSession, org_id: UUID) -> None:
    """Count all jobs of the organisation that have an error."""
    for each in (*_DROP, _COUNT_ALL):
        await session.execute(each, {"org_id": org_id})


async def count_changed(session: AsyncSession, which: str, given: dict[str, Any]) -> None:
    """Count the jobs of events as they are now; `which`, `given` as in db.tallies.summing.add."""
    touched = f"SELECT DISTINCT job_id AS id FROM job_event AS event WHERE {_OWN} AND {which}"
    await session.execute(_count(touched), given)


async def recount(session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID]) -> None:
    """Count jobs as they are now, because they were changed without an event."""
    state = await lock_to_correct(session, org_id)
    if state is not None and state.errors_are_counted:
        await session.execute(_COUNT_GIVEN, {"org_id": org_id, "job_ids": list(job_ids)})


async def uncount(session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID]) -> None:
    """Count jobs no more, because they are deleted. The sums must be locked, and have errors."""
    await session.execute(_UNCOUNT, {"org_id": org_id, "job_ids": list(job_ids)})


async def drop_empty(session: AsyncSession, org_id: UUID) -> None:
    """Drop the rows of errors and statuses that no job has any more."""
    await session.execute(_DROP_EMPTY, {"org_id": org_id})
