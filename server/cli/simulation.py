"""The demo's life: a few simulated workers, which record jobs through the public mutations."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

from db.sample_history import ORGS
from db.sample_kinds import ERRORS, KINDS, Kind

# Seconds: between two jobs of an organisation, and the longest that a simulated run takes.
PACES = (1.2, 3.0, 6.0)
LONGEST_RUN = 8.0
TIMEOUT = 10.0

CREATE = """mutation ($input: CreateJobInput!) {
  createJob(input: $input) { ... on CreateJobPayload { job { id } } }
}"""
TRANSITION = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { __typename }
}"""
RECORD = (
    """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) { __typename } }"""
)


@contextmanager
def simulated_workers(url: str) -> Iterator[None]:
    """Let workers of each organisation create and run jobs at `url` while the body runs."""
    stop = threading.Event()
    for org, pace in zip(ORGS, PACES, strict=True):
        simulation = _Simulation(url, str(org), pace, stop)
        threading.Thread(target=simulation.work, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


class _Simulation:
    """The workers of one organisation: each job has one of its own, for as long as it lives."""

    def __init__(self, url: str, org: str, pace: float, stop: threading.Event) -> None:
        self._url, self._org, self._pace, self._stop = url, org, pace, stop
        self._rng = Random()  # noqa: S311 - nothing depends on it

    def work(self) -> None:
        """Start a job's life now and then, until told to stop."""
        while not self._stop.wait(self._rng.uniform(0.5, 1.5) * self._pace):
            kind = self._rng.choices(KINDS, [kind.weight for kind in KINDS])[0]
            threading.Thread(target=self._live, args=(kind,), daemon=True).start()

    def _live(self, kind: Kind) -> None:
        # The server may go away before its workers do, and that is all right.
        with suppress(OSError, ValueError):
            job_id = self._ask(CREATE, input=self._input(kind))["createJob"]["job"]["id"]
            self._stop.wait(min(kind.wait_seconds, LONGEST_RUN) * self._rng.random())
            attempt = 1
            while not self._stop.is_set() and not self._run(kind, job_id):
                attempt += 1
                if attempt > kind.max_attempts:
                    self._move(job_id, "DEAD_LETTER")
                    return
                due = self._move(job_id, "QUEUED")["job"]["scheduledAt"]
                self._stop.wait(_seconds_until(due))

    def _run(self, kind: Kind, job_id: str) -> bool:
        """Run the job once; tell whether it went well."""
        self._move(job_id, "RUNNING")
        pause = min(kind.run_seconds, LONGEST_RUN) * self._rng.uniform(0.1, 0.4)
        for progress in (30, 60, 90):
            self._stop.wait(pause)
            if kind.has_progress:
                self._ask(RECORD, input={"id": job_id, "detail": {"progress": progress}})
        if self._rng.random() < kind.failure_rate:
            code = self._rng.choice(kind.errors)
            message = ERRORS[code].format(n=self._rng.randrange(100, 999))
            self._move(job_id, "FAILED", errorCode=code, errorMessage=message)
            return False
        self._move(job_id, "SUCCEEDED", result={kind.result: self._rng.randrange(1_000, 90_000)})
        return True

    def _input(self, kind: Kind) -> dict[str, Any]:
        return {
            "type": kind.type,
            "queue": kind.queue,
            "priority": self._rng.choice(kind.priorities),
            "maxAttempts": kind.max_attempts,
            "backoffPolicy": kind.backoff_policy.name,
            "requestedBy": "simulation",
            "payload": kind.payload(self._rng),
        }

    def _move(self, job_id: str, to: str, **fields: Any) -> Any:
        return self._ask(TRANSITION, input={"id": job_id, "to": to, **fields})["transitionJob"]

    def _ask(self, query: str, **variables: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server's URL
            self._url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json", "joblens-org": self._org},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
            return json.load(response)["data"]


def _seconds_until(due: str | None) -> float:
    if due is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(due) - datetime.now(UTC)).total_seconds())
