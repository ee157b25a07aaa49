"""Joblens in Python: record background jobs from a program, by the code that the API runs.

An installed Joblens has this one import name. In a checkout, the packages that the wheel has below
it (`joblens.db`, `joblens.server`, …) are at the top level.
"""

from db.database_errors import DatabaseUnavailableError
from db.engine import EngineOptions, TransactionAbortedError
from db.repository import (
    Backoff,
    BackoffPolicy,
    CommitUncertainError,
    CreatedJob,
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    JobRepository,
    JobStatus,
    JobWithEvents,
    NewJob,
    create_worker_engine,
    dispose,
    in_transaction,
    session_scope,
)

__all__ = [
    "Backoff",
    "BackoffPolicy",
    "CommitUncertainError",
    "CreatedJob",
    "DatabaseUnavailableError",
    "EngineOptions",
    "IdempotencyConflictError",
    "IllegalTransitionError",
    "InvalidJobError",
    "JobNotFoundError",
    "JobRepository",
    "JobStatus",
    "JobWithEvents",
    "NewJob",
    "TransactionAbortedError",
    "create_worker_engine",
    "dispose",
    "in_transaction",
    "session_scope",
]
