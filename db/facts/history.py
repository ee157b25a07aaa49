"""What the ordered steps of a job add up to: its events, and the columns that they determine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.event_marks import MARK, is_exact
from db.facts.steps import Detail, Step, in_order
from db.limits import MAX_INT32
from db.progress import progress_of
from db.statuses import JobStatus

WORKER = "worker"

# The columns that depend on more than the last event.
LASTING = (
    *("created_at", "queued_at", "started_at", "finished_at"),
    *("worker", "progress_fraction", "progress_step", "progress_at"),
)

_ENDS = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `job_event`, but for its keys."""

    ts: datetime
    prev_status: JobStatus | None
    next_status: JobStatus
    attempt: int
    detail: Detail | None


def step_of(event: Event) -> Step | None:
    """Read back the step of which an event was made; None if the event was inferred."""
    detail = event.detail or {}
    mark: Mapping[str, Any] = detail.get(MARK) or {}
    if mark.get("inferred"):
        return None
    reported = mark.get("ts")
    return Step(
        ts=event.ts if reported is None else datetime.fromisoformat(reported),
        status=JobStatus(event.next_status),
        attempt=mark.get("attempt", event.attempt),
        is_exact=mark.get("exact", True),
        detail={key: value for key, value in detail.items() if key != MARK},
    )


def history_of(steps: Iterable[Step]) -> list[Event]:
    """Make the events of the steps of one job, which may be in any order.

    A status without which the next one makes no sense is inferred, at the time of that one. Times
    never decrease: one that is earlier than that of the event before is raised to it.
    """
    building = _Builder()
    for attempt, step in in_order(steps):
        building.add(attempt, step)
    return building.events


def events_after(row: Mapping[str, Any], steps: Iterable[Step]) -> list[Event] | None:
    """Make the events of steps that come after all that a job's row adds up; None if one does not.

    They do if each is later than all before it, of no earlier attempt, and exact; and if none
    `may_replace` a stored one, or all that are stored are exact.
    """
    building = _Builder(JobStatus(row["status"]), row["attempt"], row["updated_at"])
    for step in steps:
        attempt = building.attempt if step.attempt is None else step.attempt
        is_later = building.ts is None or step.ts > building.ts
        # Of attempts past the last number that a row can have, the order is not known.
        is_next = building.attempt <= attempt and building.attempt < MAX_INT32
        if not (step.is_exact and is_later and is_next):
            return None
        building.add(attempt, step)
    return building.events


def may_replace(row: Mapping[str, Any], step: Step) -> bool:
    """Whether an exact step that comes next may replace or move an inexact one of its attempt."""
    return step.attempt is not None and step.attempt <= row["attempt"]


@dataclass(slots=True)
class _Builder:
    """The job's state, and the events that led to it, from the state that it began with."""

    status: JobStatus | None = None
    attempt: int = 0
    ts: datetime | None = None
    events: list[Event] = field(default_factory=list)

    def add(self, attempt: int, step: Step) -> None:
        """Add the event of a step, and before it what must have been."""
        ts = step.ts if self.ts is None else max(step.ts, self.ts)
        is_start = self._is_start(step)
        for status in self._missing(step, is_start=is_start):
            if status is not JobStatus.RUNNING:
                reached = self._before(attempt, step)
            else:
                reached = self.attempt + 1 if step.attempt is None else max(step.attempt, 1)
            self._add(ts, status, max(self.attempt, reached), None)
        reached = max(self.attempt + 1, attempt) if is_start else max(self.attempt, attempt)
        self._add(ts, step.status, reached, step)

    def _is_start(self, step: Step) -> bool:
        if step.status is not JobStatus.RUNNING or step.is_progress:
            return False
        is_known = step.attempt is not None and step.attempt <= self.attempt
        return not (self.status is JobStatus.RUNNING and is_known)

    def _before(self, attempt: int, step: Step) -> int:
        """Return the attempt before a step that comes first, or starts another run."""
        has_run = step.status is JobStatus.RUNNING or step.status in _ENDS
        return max(self.attempt, attempt - has_run)

    def _missing(self, step: Step, *, is_start: bool) -> Iterator[JobStatus]:
        was = self.status
        is_first = was is None and step.status is not JobStatus.QUEUED
        if is_first or (is_start and was not in {None, JobStatus.QUEUED}):
            yield JobStatus.QUEUED
        is_waiting = was is None or was is JobStatus.QUEUED
        if is_waiting and (step.status in _ENDS or step.is_progress):
            yield JobStatus.RUNNING
        if was is JobStatus.RUNNING and step.status is JobStatus.DEAD_LETTER:
            yield JobStatus.FAILED

    def _add(self, ts: datetime, status: JobStatus, attempt: int, step: Step | None) -> None:
        attempt = min(attempt, MAX_INT32)
        detail = {MARK: {"inferred": True}} if step is None else _detail(step, ts, attempt)
        self.events.append(Event(ts, self.status, status, attempt, detail or None))
        self.status, self.attempt, self.ts = status, attempt, ts


def _detail(step: Step, ts: datetime, attempt: int) -> Detail:
    mark: dict[str, Any] = {}
    if step.ts != ts:
        mark["ts"] = step.ts.isoformat()
    if step.attempt != attempt:
        mark["attempt"] = step.attempt
    if not step.is_exact:
        mark["exact"] = False
    return {**step.detail, MARK: mark} if mark else step.detail


def columns_of(events: Sequence[Event], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the columns of `job` that its events, oldest first, determine.

    `before`: what those before these events determined; None: there are none.
    """
    first, last = events[0], events[-1]
    if before is None:
        before = {**dict.fromkeys(LASTING), "created_at": first.ts, "queued_at": first.ts}
    columns = {name: before[name] for name in LASTING}
    columns |= {
        "status": last.next_status.value,
        "attempt": last.attempt,
        "updated_at": last.ts,
    }
    for event in events:
        _apply(event, columns)
    return columns


def _apply(event: Event, columns: dict[str, Any]) -> None:
    changed = event.prev_status is not event.next_status
    if changed and event.next_status is JobStatus.QUEUED:
        columns |= {"queued_at": event.ts, "started_at": None, "finished_at": None}
    elif changed and event.next_status is JobStatus.RUNNING:
        worker = (event.detail or {}).get(WORKER)
        started = event.ts if is_exact(event.detail) else None
        columns |= {"worker": worker, "started_at": started, "finished_at": None}
        columns |= {"progress_fraction": None, "progress_step": None, "progress_at": None}
    elif changed and event.next_status.is_terminal:
        columns["finished_at"] = columns["finished_at"] or event.ts
        # That it ran is known, but not for how long.
        if event.next_status is JobStatus.SUCCEEDED and columns["started_at"] is None:
            columns["started_at"] = event.ts
    if (progress := progress_of(event.detail)) is not None:
        columns |= {
            "progress_fraction": progress.fraction,
            "progress_step": progress.step,
            "progress_at": event.ts,
        }
