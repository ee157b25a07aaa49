"""The demo's life: a few simulated workers, which record jobs through the public mutations."""

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

# Seconds: between two jobs of an organisation, and the longest that a simulated run takes.
PACES = (1.2, 3.0, 6.0)
LONGEST_RUN = 8.0
TIMEOUT = 10.0
ENDING_SECONDS = 6.0
SILENT_SECONDS = 60.0

CREATE = """mutation ($input: CreateJobInput!) {
  createJob(input: $input) { ... on CreateJobPayload { job { id } } }
}"""
TRANSITION = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { scheduledAt } } }
}"""
RECORD = (
    """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) { __typename } }"""
)

# Proxies of the user's environment lead elsewhere.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

log = logging.getLogger("joblens.demo")


class _LeftError(Exception):
    """The worker has nothing more to do for its job: somebody canceled it, or the demo ends."""


@contextmanager
def simulated_workers(
    url: str, kinds: Sequence[Kind] = KINDS, paces: Sequence[float] = PACES
) -> Iterator[None]:
    """Let workers of each organisation create and run jobs at `url` while the body runs."""
    stop = threading.Event()
    for org, pace in zip(ORGS, paces, strict=True):
        simulation = _Simulation(url, str(org), kinds, pace, stop)
        threading.Thread(target=simulation.work, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


class _Simulation:
    """The workers of one organisation: each job has one of its own, for as long as it lives."""

    def __init__(
        self, url: str, org: str, kinds: Sequence[Kind], pace: float, stop: threading.Event
    ) -> None:
        self._url, self._org, self._kinds, self._pace, self._stop = url, org, kinds, pace, stop
        self._rng = Random()  # noqa: S311 - nothing depends on it
        self._silent_until = 0.0

    def work(self) -> None:
        """Start a job's life now and then, until the demo ends."""
        while not self._stop.wait(self._rng.uniform(0.5, 1.5) * self._pace):
            kind = self._rng.choices(self._kinds, [kind.weight for kind in self._kinds])[0]
            threading.Thread(target=self._live, args=(kind,), daemon=True).start()

    def _live(self, kind: Kind) -> None:
        try:
            self._try_until_it_ends(kind)
        except _LeftError:
            pass
        except Exception as error:  # noqa: BLE001 - it is for show: whatever it is, no traceback
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Tell of what went wrong, once a minute."""
        if time.monotonic() < self._silent_until:
            return
        self._silent_until = time.monotonic() + SILENT_SECONDS
        # The server stops listening a moment before the demo ends.
        if not self._stop.wait(ENDING_SECONDS):
            log.warning("simulated workers get no answers: %s: %s", type(error).__name__, error)

    def _try_until_it_ends(self, kind: Kind) -> None:
        job_id = self._ask(CREATE, input=self._input(kind))["createJob"]["job"]["id"]
        self._pause(min(kind.wait_seconds, LONGEST_RUN) * self._rng.random())
        for attempt in range(1, kind.max_attempts + 1):
            self._move(job_id, "QUEUED", "RUNNING")
            error = self._run(kind, job_id)
            if error is None or error in FINAL_ERRORS:
                return
            if attempt < kind.max_attempts:
                self._pause(_seconds_until(self._move(job_id, "FAILED", "QUEUED")["scheduledAt"]))
        self._move(job_id, "FAILED", "DEAD_LETTER")

    def _run(self, kind: Kind, job_id: str) -> str | None:
        """Run the job once; get the code of its error unless it went well."""
        pause = min(kind.run_seconds, LONGEST_RUN) * self._rng.uniform(0.1, 0.4)
        for progress in (30, 60, 90):
            self._pause(pause)
            if kind.has_progress:
                self._ask(RECORD, input={"id": job_id, "detail": {"progress": progress}})
        if self._rng.random() < kind.failure_rate:
            code = self._rng.choice(kind.errors)
            message = ERRORS[code].format(n=self._rng.randrange(100, 999))
            self._move(job_id, "RUNNING", "FAILED", errorCode=code, errorMessage=message)
            return code
        result = {kind.result: self._rng.randrange(1_000, 90_000)}
        self._move(job_id, "RUNNING", "SUCCEEDED", result=result)
        return None

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

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _LeftError

    def _move(self, job_id: str, before: str, to: str, **fields: Any) -> dict[str, Any]:
        """Change the job's status; get the job. Raises _LeftError where it has another by now."""
        change = {"id": job_id, "from": before, "to": to, **fields}
        job: dict[str, Any] | None = self._ask(TRANSITION, input=change)["transitionJob"].get("job")
        if job is None:
            raise _LeftError
        return job

    def _ask(self, query: str, **variables: Any) -> Any:
        """Get the data of an answer that has no errors."""
        request = urllib.request.Request(  # noqa: S310 - our own server's URL
            self._url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json", "joblens-org": self._org},
        )
        try:
            with DIRECTLY.open(request, timeout=TIMEOUT) as response:
                answer = json.load(response)
        except HTTPError as error:
            error.close()
            raise
        if "errors" in answer:
            raise ValueError(answer["errors"][0]["message"])
        return answer["data"]


def _seconds_until(due: str | None) -> float:
    if due is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(due) - datetime.now(UTC)).total_seconds())
