"""Fact: that a job had a status at a time, and what else was seen of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.progress import Progress
from db.statuses import JobStatus


@dataclass(frozen=True, slots=True)
class Fact:
    """A job of a source had `status` at `ts`. What is None was not observed.

    `external_id`: what the source calls the job. `attempt`: how many times it had been started,
    this time included; None if the source does not count starts. `is_exact`: whether the source
    reports this very time; else it is the nearest that is known, and gives way to an exact fact
    with the same status and attempt. `payload` to `parent_external_id` describe the job: of several
    facts the latest that says something counts. `seen_at`: when they were read, if the source shows
    only how they are now. The others belong to the change of status. An empty error says that there
    is none any more.
    """

    external_id: str
    ts: datetime
    status: JobStatus
    attempt: int | None = None
    is_exact: bool = True
    type: str | None = None
    queue: str | None = None
    priority: int | None = None
    max_attempts: int | None = None
    requested_by: str | None = None
    payload: Any = None
    tags: Sequence[str] | None = None
    batch: str | None = None
    parent_external_id: str | None = None
    scheduled_at: datetime | None = None
    result: Any = None
    worker: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    detail: Mapping[str, Any] | None = None
    progress: Progress | None = None
    seen_at: datetime | None = None
