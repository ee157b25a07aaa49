"""Simulated workers of the demo, which record jobs through the public mutations."""

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.error import HTTPError

from demo.history import ORGS
from demo.kinds import ERRORS, FINAL_ERRORS, KINDS, Kind
from demo.relations import PARENTS, tags_of

# The mean seconds between two jobs, for each organisation.
INTERVALS = (1.2, 3.0, 6.0)
MAX_RUN_SECONDS = 8.0
TIMEOUT_SECONDS = 10.0
# The server may stop listening this long before the demo ends.
SHUTDOWN_SECONDS = 6.0
WARNING_INTERVAL_SECONDS = 60.0

CREATE = """mutation ($input: CreateJobInput!) {
  createJob(input: $input) { __typename ... on CreateJobPayload { job { id } } }
}"""
TRANSITION = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { scheduledAt } } }
}"""
RECORD = (
    """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) { __typename } }"""
)

# Ignores the proxies of the environment.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

log = logging.getLogger("joblens.demo")


class _JobEndedError(Exception):
    """The job was changed by another client, such as a cancellation, or the demo ends."""


@contextmanager
def simulated_workers(
    url: str, kinds: Sequence[Kind] = KINDS, intervals: Sequence[float] = INTERVALS
) -> Iterator[None]:
    """Run simulated workers of each organisation against the API at `url` while the body runs."""
    stop = threading.Event()
    for org, interval in zip(ORGS, intervals, strict=True):
        simulation = _Simulation(url, str(org), kinds, interval, stop)
        threading.Thread(target=simulation.work, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


class _Simulation:
    """The workers of one organisation, one thread per job."""

    def __init__(
        self, url: str, org: str, kinds: Sequence[Kind], interval: float, stop: threading.Event
    ) -> None:
        self._url, self._org, self._kinds, self._stop = url, org, kinds, stop
        self._interval = interval
        self._rng = Random()  # noqa: S311 - not security relevant
        self._next_warning = 0.0
        self._newest: dict[str, str] = {}

    def work(self) -> None:
        """Create jobs at random intervals until the demo ends."""
        while not self._stop.wait(self._rng.uniform(0.5, 1.5) * self._interval):
            kind = self._rng.choices(self._kinds, [kind.weight for kind in self._kinds])[0]
            threading.Thread(target=self._process, args=(kind,), daemon=True).start()

    def _process(self, kind: Kind) -> None:
        try:
            self._run_job(kind)
        except _JobEndedError:
            pass
        except Exception as error:  # noqa: BLE001 - the demo logs no tracebacks
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        """Log an error, at most once per WARNING_INTERVAL_SECONDS."""
        if time.monotonic() < self._next_warning:
            return
        self._next_warning = time.monotonic() + WARNING_INTERVAL_SECONDS
        if not self._stop.wait(SHUTDOWN_SECONDS):
            log.warning("simulated workers get no responses: %s: %s", type(error).__name__, error)

    def _run_job(self, kind: Kind) -> None:
        job_id = self._create(kind)
        self._pause(min(kind.wait_seconds, MAX_RUN_SECONDS) * self._rng.random())
        for attempt in range(1, kind.max_attempts + 1):
            worker = f"worker-{self._rng.randrange(1, 9)}"
            self._transition(job_id, "QUEUED", "RUNNING", worker=worker)
            error = self._run(kind, job_id)
            if error is None or error in FINAL_ERRORS:
                return
            if attempt < kind.max_attempts:
                queued = self._transition(job_id, "FAILED", "QUEUED")
                self._pause(_seconds_until(queued["scheduledAt"]))
        self._transition(job_id, "FAILED", "DEAD_LETTER")

    def _create(self, kind: Kind) -> str:
        created = self._execute(CREATE, input=self._input(kind))["createJob"]
        if created.get("__typename") == "JobNotFound":
            # The parent was deleted.
            self._newest.clear()
            raise _JobEndedError
        job_id: str = created["job"]["id"]
        self._newest[kind.type] = job_id
        return job_id

    def _run(self, kind: Kind, job_id: str) -> str | None:
        """Simulate one run; return the error code if it failed."""
        pause = min(kind.run_seconds, MAX_RUN_SECONDS) * self._rng.uniform(0.1, 0.4)
        for percent in (30, 60, 90):
            self._pause(pause)
            if kind.has_progress:
                progress = {"fraction": percent / 100}
                self._execute(RECORD, input={"id": job_id, "progress": progress})
        if self._rng.random() < kind.failure_rate:
            code = self._rng.choice(kind.errors)
            message = ERRORS[code].format(n=self._rng.randrange(100, 999))
            self._transition(job_id, "RUNNING", "FAILED", errorCode=code, errorMessage=message)
            return code
        result = {kind.result: self._rng.randrange(1_000, 90_000)}
        self._transition(job_id, "RUNNING", "SUCCEEDED", result=result)
        return None

    def _input(self, kind: Kind) -> dict[str, Any]:
        payload = kind.payload(self._rng)
        return {
            "type": kind.type,
            "queue": kind.queue,
            "priority": self._rng.choice(kind.priorities),
            "maxAttempts": kind.max_attempts,
            "backoffPolicy": kind.backoff_policy.name,
            "requestedBy": "simulation",
            "payload": payload,
            "parentId": self._newest.get(PARENTS.get(kind.type, "")),
            "tags": tags_of(payload),
        }

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _JobEndedError

    def _transition(self, job_id: str, before: str, to: str, **fields: Any) -> dict[str, Any]:
        """Change the job's status. Raises _JobEndedError if the status is no longer `before`."""
        change = {"id": job_id, "from": before, "to": to, **fields}
        data = self._execute(TRANSITION, input=change)
        job: dict[str, Any] | None = data["transitionJob"].get("job")
        if job is None:
            raise _JobEndedError
        return job

    def _execute(self, query: str, **variables: Any) -> Any:
        """Execute an operation and return its data. Raises ValueError for errors."""
        request = urllib.request.Request(  # noqa: S310 - the URL of the demo's server
            self._url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json", "joblens-org": self._org},
        )
        try:
            with OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
                result = json.load(response)
        except HTTPError as error:
            error.close()
            raise
        if "errors" in result:
            raise ValueError(result["errors"][0]["message"])
        return result["data"]


def _seconds_until(due: str | None) -> float:
    if due is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(due) - datetime.now(UTC)).total_seconds())
