"""The steps of one job: its facts without what describes it, and the order they happened in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

from db.json_values import canonical
from db.progress import PROGRESS
from db.statuses import JobStatus

Detail: TypeAlias = Mapping[str, Any]

_RUNNING, _QUEUED, _FAILED = JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.FAILED
# Of what happened at one time: what comes next after a status.
_NEXT: Mapping[JobStatus | None, tuple[JobStatus, ...]] = {
    None: (_QUEUED, _RUNNING),
    _QUEUED: (_RUNNING, _FAILED, _QUEUED),
    _RUNNING: (_RUNNING, _FAILED, JobStatus.SUCCEEDED, JobStatus.CANCELED),
    _FAILED: (_FAILED, JobStatus.DEAD_LETTER, _QUEUED),
    JobStatus.SUCCEEDED: (JobStatus.SUCCEEDED,),
    JobStatus.CANCELED: (JobStatus.CANCELED, _QUEUED),
    JobStatus.DEAD_LETTER: (JobStatus.DEAD_LETTER, _QUEUED),
}
_RANKS = {status: rank for rank, status in enumerate(JobStatus)}


@dataclass(frozen=True, slots=True)
class Step:
    """A job had `status` at `ts`. `attempt`: as in Fact; `detail`: of the event, without a mark."""

    ts: datetime
    status: JobStatus
    attempt: int | None
    is_exact: bool
    detail: Detail

    @property
    def is_progress(self) -> bool:
        """Whether it reports on a run that has begun."""
        return self.status is _RUNNING and PROGRESS in self.detail


class Steps:
    """The steps of one job, one for all that report the same.

    An inexact step gives way to an exact one with its status and attempt. Of several inexact ones
    the earliest time counts. Which steps there are does not depend on the order of adding them.
    """

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._found: dict[tuple[Any, ...], Step] = {}
        self._exact: set[tuple[JobStatus, int | None]] = set()
        for step in steps:
            self.add(step)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._found.values())

    def add(self, step: Step) -> bool:
        """Add a step; return whether it reported anything new."""
        reached = step.status, step.attempt
        is_vague = not step.is_exact and step.attempt is not None
        if is_vague and reached in self._exact:
            return False
        if step.is_exact:
            self._exact.add(reached)
            self._found.pop(reached, None)
        key = reached if is_vague else (*reached, step.ts, step.is_exact)
        known = self._found.get(key)
        self._found[key] = new = step if known is None else _merged(known, step)
        return new is not known


def in_order(steps: Iterable[Step]) -> list[tuple[int, Step]]:
    """Sort steps, each with its attempt: that of the step, else the starts before it.

    Attempts count more than times, which may come from several clocks. A time that is only near
    counts less than the start of its attempt.
    """
    numbered = _numbered(sorted(steps, key=_time_key))
    starts = _starts(numbered)
    placed = [(attempt, _place(step, starts.get(attempt)), step) for attempt, step in numbered]
    placed.sort(key=lambda each: each[:2])
    ordered: list[tuple[int, Step]] = []
    for _, group in groupby(placed, key=lambda each: each[:2]):
        alike = [(attempt, step) for attempt, _, step in group]
        while len(alike) > 1:
            status = ordered[-1][1].status if ordered else None
            chosen = min(alike, key=lambda each: _preference(status, each[1]))
            alike.remove(chosen)
            ordered.append(chosen)
        ordered.extend(alike)
    return ordered


def _merged(one: Step, other: Step) -> Step:
    """Unite two steps that are the same; returns the first one itself if that has it all."""
    ts, detail = min(one.ts, other.ts), dict(_united(one.detail, other.detail))
    if ts == one.ts and detail == one.detail:
        return one
    return replace(one, ts=ts, detail=detail)


def _united(one: Detail, other: Detail) -> Iterator[tuple[str, Any]]:
    for key in sorted({*one, *other}):
        values = [each[key] for each in (one, other) if key in each]
        yield key, values[0] if values[0] == values[-1] else max(values, key=canonical)


def _time_key(step: Step) -> tuple[Any, ...]:
    """Return a key that no two of a job's steps share, so that their order is always the same."""
    return step.ts, _RANKS[step.status], step.attempt is None, step.attempt, not step.is_exact


def _numbered(steps: list[Step]) -> list[tuple[int, Step]]:
    starts = 0
    numbered = []
    for step in steps:
        if step.attempt is not None:
            starts = max(starts, step.attempt)
        elif step.status is _RUNNING and not step.is_progress:
            starts += 1
        numbered.append((starts if step.attempt is None else step.attempt, step))
    return numbered


def _starts(numbered: Iterable[tuple[int, Step]]) -> dict[int, datetime]:
    """Return when attempts began, where that is known."""
    found: dict[int, datetime] = {}
    for attempt, step in numbered:
        if step.status is _RUNNING and step.is_exact and not step.is_progress:
            found[attempt] = min(step.ts, found.get(attempt, step.ts))
    return found


def _place(step: Step, started_at: datetime | None) -> datetime:
    """Return the time to sort a step by: one that is only near is not before its attempt began."""
    if step.is_exact or started_at is None:
        return step.ts
    return max(step.ts, started_at)


def _preference(status: JobStatus | None, step: Step) -> tuple[Any, ...]:
    wanted = _NEXT[status]
    rank = wanted.index(step.status) if step.status in wanted else len(wanted)
    return rank, _RANKS[step.status], step.is_progress, canonical(step.detail)
