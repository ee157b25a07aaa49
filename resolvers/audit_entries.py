"""Entries of the audit log for the fields of a mutation: the outcome and the jobs concerned.

They contain no payloads or details, nor reasons, except those of deletions: no event remains that
has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.outcomes import (
    ChangedJob,
    CreatedJob,
    IdempotencyConflict,
    IllegalTransition,
    JobNotFound,
    RecordedEvent,
)
from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from resolvers.mutation_results import ChangedMany, CreatedMany, DeletedMany, TransitionedMany

OK = "ok"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One field of a mutation. `outcome`: `ok`, the name of the result's type or an error code."""

    name: str
    outcome: str
    details: Mapping[str, Any] = field(default_factory=dict)


def completed(name: str, outcome: object) -> AuditEntry:
    """Make the entry of a field that returned `outcome`."""
    is_success = isinstance(
        outcome,
        CreatedJob
        | ChangedJob
        | RecordedEvent
        | CreatedMany
        | ChangedMany
        | TransitionedMany
        | DeletedMany,
    )
    return AuditEntry(name, OK if is_success else type(outcome).__name__, _details(outcome))


def failed(name: str, error: BaseException) -> AuditEntry:
    """Make the entry of a field that raised an error or was cancelled."""
    if isinstance(error, JoblensError):
        return AuditEntry(name, error.code.value)
    is_defect = isinstance(error, Exception)
    return AuditEntry(name, ErrorCode.INTERNAL_SERVER_ERROR.value if is_defect else INTERRUPTED)


def _details(outcome: object) -> Mapping[str, Any]:
    """Return the id of the job, or the numbers of jobs of a batch."""
    match outcome:
        case CreatedMany():
            return {"created": outcome.created, "existing": outcome.existing}
        case TransitionedMany():
            return {"changed": outcome.changed, "refused": outcome.refused}
        case ChangedMany():
            dry_run = {"dry_run": True} if outcome.is_dry_run else {}
            return {"changed": outcome.changed, "skipped": outcome.skipped, **dry_run}
        case DeletedMany():
            reason = {} if outcome.reason is None else {"reason": outcome.reason}
            return {"deleted": outcome.deleted, "dry_run": outcome.is_dry_run, **reason}
        case CreatedJob():
            return {"job": str(outcome.job.id), "created": outcome.created}
    job_id = _job_id(outcome)
    return {} if job_id is None else {"job": str(job_id)}


def _job_id(outcome: object) -> UUID | None:
    match outcome:
        case RecordedEvent(job_id):
            return job_id
        case JobNotFound(job_id):
            return parse_uuid(str(job_id))
        case ChangedJob(job) | IllegalTransition(job=job) | IdempotencyConflict(job):
            return UUID(str(job.id))
    return None
