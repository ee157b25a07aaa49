"""The job of each event, looked up one by one.

PostgreSQL may read all jobs of an organisation to join them with a few events: a plan for any
organisation expects one of few jobs. With OFFSET it does not turn these subqueries into a join.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, exists, literal_column, select

from db.criteria import JobCriteria
from db.queries.filters import Condition, event, job, job_conditions
from db.tables import job_event_table


def own_job(org_id: UUID, criteria: JobCriteria | None, *columns: ColumnElement[Any]) -> FromClause:
    """Read columns of the job of an event, if it meets the criteria: to be joined with events."""
    return _own(org_id, criteria, *columns).lateral("of_job")


def has_own_job(org_id: UUID, criteria: JobCriteria) -> Condition:
    """Match the rows of `job_event` whose job meets the criteria."""
    return exists(_own(org_id, criteria, job.id))


def _own(org_id: UUID, criteria: JobCriteria | None, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .where(job_conditions(org_id, criteria), job.id == event.job_id)
        .correlate(job_event_table)
        .offset(literal_column("0"))
    )
