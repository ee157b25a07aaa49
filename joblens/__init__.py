"""Joblens in Python: record background jobs from a program, by the code that the API runs.

An installed Joblens has this one import name. In a checkout, the packages that the wheel has below
it (`joblens.db`, `joblens.server`, …) are at the top level.
"""

from db.backoff import Backoff
from db.commands.creation import NewJob
from db.database_errors import CommitUncertainError, DatabaseUnavailableError
from db.engine import EngineOptions, TransactionAbortedError
from db.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    ReadOnlyJobError,
)
from db.facts import Fact, FactFault, Recorded, Source
from db.outcomes import CreatedJob, JobWithEvents
from db.progress import Progress
from db.repository import JobRepository
from db.retries import in_transaction
from db.session_scope import create_worker_engine, dispose, session_scope
from db.status_changes import StatusChange
from db.statuses import BackoffPolicy, JobStatus

__all__ = [
    "Backoff",
    "BackoffPolicy",
    "CommitUncertainError",
    "CreatedJob",
    "DatabaseUnavailableError",
    "EngineOptions",
    "Fact",
    "FactFault",
    "IdempotencyConflictError",
    "IllegalTransitionError",
    "InvalidJobError",
    "JobNotFoundError",
    "JobRepository",
    "JobStatus",
    "JobWithEvents",
    "NewJob",
    "Progress",
    "ReadOnlyJobError",
    "Recorded",
    "Source",
    "StatusChange",
    "TransactionAbortedError",
    "create_worker_engine",
    "dispose",
    "in_transaction",
    "session_scope",
]
