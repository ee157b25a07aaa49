"""The demo's history: a week of generated jobs of three organisations, up to now.

Each job is simulated with a fixed seed; events after now are omitted.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from db.statuses import BackoffPolicy, JobStatus
from demo.kinds import ERRORS, FINAL_ERRORS, KINDS
from demo.relations import with_relations

ORGS = (UUID(int=1), UUID(int=2), UUID(int=3))

_SEED = 20_250_101
_DAYS = 7
# Jobs per organisation: over the week, in the last three hours, and stuck since long ago.
_VOLUMES = ((1_000, 330, 5), (330, 110, 2), (160, 60, 1))
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
# In the last minutes the queue is longer than the workers can process.
_BACKLOG_AGE, _BACKLOG_FACTOR = 12 * _MINUTE, 60
_FAILURE_RATE_AGAIN = 0.7  # of retries, which tend to fail with the same error
_SCHEDULED, _CANCELED_QUEUED, _CANCELED_RUNNING, _REQUEUED = 0.06, 0.02, 0.015, 0.01  # shares
_REQUESTERS = ("api", "scheduler", "anna@example.com", "li.wei@example.com", "support")
_REASONS = ("no longer needed", "started by mistake", "customer asked to stop", "superseded")
_RETRY_SECONDS = {BackoffPolicy.NONE: 0.0, BackoffPolicy.FIXED: 60.0}


def sample_history(now: datetime) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """Yield the jobs of each organisation, oldest first, as import records.

    The jobs and their ids are always the same; their times are relative to `now`, a time with an
    offset, in milliseconds.
    """
    end = now.astimezone(UTC).replace(microsecond=now.microsecond // 1000 * 1000)
    for org_id, (spread, recent, stuck) in zip(ORGS, _VOLUMES, strict=True):
        rng = Random(_SEED + org_id.int)  # noqa: S311 - deterministic on purpose
        ages = [_age(rng) for _ in range(spread)]
        ages += [rng.uniform(0, 3 * _HOUR) for _ in range(recent)]
        simulated = [_SimulatedJob(rng, end, age) for age in ages]
        simulated += [
            _SimulatedJob(rng, end, rng.uniform(3 * _HOUR, 3 * _DAY), is_stuck=True)
            for _ in range(stuck)
        ]
        in_order = sorted(simulated, key=lambda job: -job.age)
        for record in with_relations(job.record() for job in in_order):
            yield org_id, record


def _age(rng: Random) -> float:
    """Draw a job's age in seconds: more jobs at this time of day, fewer twelve hours apart."""
    while True:
        age = rng.uniform(0, _DAYS * _DAY)
        busy = (1 + math.cos(2 * math.pi * age / _DAY)) / 2
        if rng.random() < 0.12 + 0.88 * busy:
            return age


class _SimulatedJob:
    """Simulates one job; its clock is in seconds relative to `end`, where the simulation stops."""

    def __init__(self, rng: Random, end: datetime, age: float, *, is_stuck: bool = False) -> None:
        self.age = age
        self._rng, self._end, self._is_stuck = rng, end, is_stuck
        self._kind = rng.choices(KINDS, [kind.weight for kind in KINDS])[0]
        self._clock = -age
        self._attempt = 0
        self._error_code: str | None = None
        self._events: list[dict[str, Any]] = []
        self._fields: dict[str, Any] = {}
        self._set_status(JobStatus.QUEUED)
        self._schedule()
        while self._run_attempt():
            pass

    def record(self) -> dict[str, Any]:
        kind, rng = self._kind, self._rng
        key = f"{kind.type}:{rng.getrandbits(48):012x}"
        return {
            "id": str(UUID(int=rng.getrandbits(128), version=4)),
            "type": kind.type,
            "queue": kind.queue,
            "status": self._status.value,
            "priority": rng.choice(kind.priorities),
            "attempt": self._attempt,
            "max_attempts": kind.max_attempts,
            "backoff_policy": kind.backoff_policy.value,
            "idempotency_key": key if rng.random() < kind.keyed else None,
            "requested_by": rng.choice(_REQUESTERS),
            "payload": kind.payload(rng),
            "created_at": self._events[0]["ts"],
            **self._fields,
            "events": self._events,
        }

    @property
    def _status(self) -> JobStatus:
        return JobStatus(self._events[-1]["next_status"])

    def _set_status(self, status: JobStatus, **detail: object) -> None:
        """Append an event that changes the status, or records progress if it stays the same."""
        before = self._status if self._events else None
        event = {
            "ts": self._time(),
            "prev_status": before and before.value,
            "next_status": status.value,
        }
        self._events.append({**event, "attempt": self._attempt, "detail": detail or None})
        if status is not before:
            self._fields["finished_at"] = self._time() if status.is_terminal else None

    def _time(self) -> str:
        time = self._end + timedelta(milliseconds=math.floor(self._clock * 1000))
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _schedule(self) -> None:
        if not self._is_stuck and self._rng.random() < _SCHEDULED:
            self._clock += self._rng.uniform(5 * _MINUTE, 12 * _HOUR)
            self._fields["scheduled_at"] = self._time()

    def _run_attempt(self) -> bool:
        """Simulate one attempt; return whether another one follows."""
        wait = self._rng.expovariate(1 / self._kind.wait_seconds)
        if self._clock > -_BACKLOG_AGE:
            wait *= _BACKLOG_FACTOR
        if not self._is_stuck and self._rng.random() < _CANCELED_QUEUED:
            self._cancel_after(wait * self._rng.random())
            return False
        self._clock += wait
        if self._clock > 0:
            return False
        self._attempt += 1
        worker = f"worker-{self._rng.randrange(1, 9)}"
        self._set_status(JobStatus.RUNNING, worker=worker)
        self._fields |= {"started_at": self._time(), "worker": worker}
        return self._run()

    def _cancel_after(self, seconds: float) -> None:
        self._clock += seconds
        if self._clock <= 0:
            by = self._rng.choice(_REQUESTERS)
            self._set_status(JobStatus.CANCELED, reason=self._rng.choice(_REASONS), by=by)

    def _run(self) -> bool:
        seconds = self._kind.run_seconds * self._rng.lognormvariate(0, 0.7)
        draw = self._rng.random()
        started = self._clock
        if self._kind.has_progress:
            self._progress(started, seconds)
        if self._is_stuck or started + seconds > 0:
            return False
        self._clock = started + seconds
        if draw < (_FAILURE_RATE_AGAIN if self._error_code else self._kind.failure_rate):
            return self._fail()
        if draw > 1 - _REQUEUED:
            return self._requeue_running()
        if draw > 1 - _REQUEUED - _CANCELED_RUNNING:
            self._cancel_after(0)
        else:
            self._set_status(JobStatus.SUCCEEDED)
            amount = self._rng.randrange(1, 5_000)
            self._fields["result"] = {self._kind.result: amount, "seconds": round(seconds, 3)}
        return False

    def _progress(self, started: float, seconds: float) -> None:
        # A stuck job reports some progress and then stops.
        for percent in (20, 40) if self._is_stuck else (20, 40, 60, 80):
            if started + seconds * percent / 100 <= 0:
                self._clock = started + seconds * percent / 100
                self._set_status(JobStatus.RUNNING, progress={"fraction": percent / 100})

    def _requeue_running(self) -> bool:
        if self._attempt == self._kind.max_attempts:
            self._cancel_after(0)
            return False
        self._requeue(1.0, reason="the worker shut down")
        return True

    def _fail(self) -> bool:
        code = self._error_code = self._error_code or self._rng.choice(self._kind.errors)
        message = ERRORS[code].format(n=self._rng.randrange(100, 999))
        self._set_status(JobStatus.FAILED, error_code=code, error_message=message)
        self._fields |= {"last_error_code": code, "last_error_message": message}
        if code in FINAL_ERRORS:
            return False
        if self._attempt == self._kind.max_attempts:
            self._set_status(JobStatus.DEAD_LETTER, reason="no attempts left")
            return False
        exponential = 30.0 * 4 ** (self._attempt - 1) * self._rng.uniform(0.9, 1.1)
        self._requeue(_RETRY_SECONDS.get(self._kind.backoff_policy, exponential))
        return True

    def _requeue(self, delay_seconds: float, **detail: object) -> None:
        self._set_status(JobStatus.QUEUED, **detail)
        self._clock += delay_seconds
        self._fields |= {"started_at": None, "scheduled_at": self._time()}
