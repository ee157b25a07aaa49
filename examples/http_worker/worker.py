"""A worker over HTTP, with nothing but the standard library: runs the jobs of a queue that are due.

Take it along, and put your own work into `RUNS`.
"""

import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

URL = os.environ.get("URL", "http://127.0.0.1:8000/graphql")
TOKEN = os.environ.get("TOKEN", "")
QUEUE = os.environ.get("QUEUE", "default")
# Tells this process from others: who runs what, and who fell silent.
WORKER = os.environ.get("WORKER", f"{platform.node()}:{os.getpid()}")[:255]
# A job without an event for so long is lost. Runs note that they go on far more often.
SILENT_SECONDS = float(os.environ.get("SILENT_SECONDS", "900"))
IDLE_SECONDS = 2.0
LONGEST_WAIT = 30.0
LARGEST_RESULT = 250_000
# What passes: the same request may succeed a little later.
PASSING = {"UNAVAILABLE", "TIMEOUT", "COMMIT_UNCERTAIN"}
PASSING |= {"OVERLOADED", "RATE_LIMITED", "TOO_MANY_REQUESTS"}

JOBS = """query ($filter: JobFilter!, $orderBy: JobOrder!, $first: Int!) {
  jobs(filter: $filter, orderBy: $orderBy, first: $first) {
    nodes { id type payload priority attempt maxAttempts }
  }
}"""
CHANGE = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) {
    __typename
    ... on JobPayload { job { id attempt maxAttempts } }
    ... on IllegalTransition { current }
    ... on InvalidInput { field }
    ... on UserError { message }
  }
}"""
NOTE = """mutation ($input: RecordJobEventInput!) {
  recordJobEvent(input: $input) { __typename }
}"""

Json = dict[str, Any]
Note = Callable[[float, Json], None]


class PassingError(Exception):
    """There is no answer now. `wait` is how many seconds the server wants."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def ask(query: str, variables: Json) -> Any:
    """Ask until there is an answer: longer waits each time, and not all workers at once."""
    wait = 0.5
    while True:
        try:
            return ask_once(query, variables)
        except PassingError as problem:
            print(f"no answer: {problem}", file=sys.stderr)
            time.sleep(max(wait * random.uniform(0.5, 1), problem.wait))
            wait = min(LONGEST_WAIT, wait * 2)


def ask_once(query: str, variables: Json) -> Any:
    """Get the one field of the data; raises PassingError, or RuntimeError with what is wrong."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(URL, body, headers), timeout=60) as response:
            text = response.read()
    except HTTPError as refused:
        wait = float(refused.headers.get("Retry-After") or 0)
        text = refused.read()  # it says why
        if refused.code in (429, 502, 503, 504):
            raise PassingError(f"{refused}: {text[:500]!r}", wait) from None
        raise RuntimeError(f"{refused}: {text[:500]!r}") from None
    except (URLError, OSError, HTTPException) as problem:
        raise PassingError(str(problem)) from None
    answer = json.loads(text)
    for error in answer.get("errors", ()):
        if error["extensions"]["code"] in PASSING:
            raise PassingError(error["message"])
        raise RuntimeError(error["message"])
    (result,) = answer["data"].values()
    return result


def change(job_id: str, before: str, after: str, **fields: Any) -> Json:
    """Change a job's status if it still has the one before."""
    given = {"id": job_id, "from": before, "to": after, **fields}
    answer: Json = ask(CHANGE, {"input": given})
    if answer["__typename"] != "JobPayload":
        print(f"{after}: {answer['message']}", file=sys.stderr)
    return answer


def list_jobs(condition: Json, field: str, direction: str, first: int) -> list[Json]:
    """List the jobs of this worker's queue and types that meet a condition."""
    ours = {"queue": {"eq": QUEUE}, "type": {"in": list(RUNS)}, **condition}
    order = {"field": field, "direction": direction}
    jobs: list[Json] = ask(JOBS, {"filter": ours, "orderBy": order, "first": first})["nodes"]
    return jobs


def next_jobs() -> list[Json]:
    """Get the jobs that are due next: those of the highest priority, the oldest first."""
    due = {"status": ["QUEUED"], "waitingLongerThan": 0}
    highest = list_jobs(due, "PRIORITY", "DESC", 1)
    if not highest:
        return []
    # Jobs of one priority are in the order of their ids: DESC begins with the newest of them.
    return list_jobs(due | {"priority": {"eq": highest[0]["priority"]}}, "PRIORITY", "ASC", 10)


def checked(result: Json) -> Json:
    """Pass a result on; what is no JSON is a failure, and so is what no request has room for."""
    if len(json.dumps(result, allow_nan=False)) > LARGEST_RESULT:
        raise ValueError("The result is too large.")
    return result


def outcome(job: Json) -> Json:
    """Do the work, and say how its run ends."""

    def note(fraction: float, detail: Json) -> None:
        # With a detail, it moves `updatedAt`, too: the run is not silent.
        told = {"detail": detail, "progress": {"fraction": fraction}}
        ask(NOTE, {"input": {"id": job["id"], **told}})

    try:
        result = checked(RUNS[job["type"]](job["payload"], note))
    except Exception as error:
        code, message = type(error).__name__, str(error)[:100_000]
        return {"after": "FAILED", "errorCode": code, "errorMessage": message}
    return {"after": "SUCCEEDED", "result": result}


def run(job: Json) -> None:
    """Start a job, do its work, and record what came of it."""
    started = change(job["id"], "QUEUED", "RUNNING", worker=WORKER)
    if started["__typename"] != "JobPayload":
        return  # another worker has it, or it was canceled; or an answer was lost: leave it
    attempt = started["job"]["attempt"]
    ended = outcome(job)
    answer = change(job["id"], "RUNNING", attempt=attempt, **ended)
    if answer["__typename"] == "InvalidInput":  # the result cannot be taken: a failure, too
        words = f"{answer['field']}: {answer['message']}"
        ended = {"after": "FAILED", "errorCode": "InvalidResult", "errorMessage": words}
        answer = change(job["id"], "RUNNING", attempt=attempt, **ended)
    # FAILED was met: an earlier call had arrived, whose answer was lost.
    has_ended = answer["__typename"] == "JobPayload" or answer.get("current") == "FAILED"
    if ended["after"] == "FAILED" and has_ended:
        settle(started["job"])


def settle(job: Json) -> None:
    """After a failure, queue the job again, or give it up after its last attempt."""
    after = "QUEUED" if job["attempt"] < job["maxAttempts"] else "DEAD_LETTER"
    change(job["id"], "FAILED", after, attempt=job["attempt"])


def list_silent(status: str) -> list[Json]:
    """List jobs that have this status, and no event for too long: `updatedAt` is the last one's."""
    since = datetime.now(UTC) - timedelta(seconds=SILENT_SECONDS)
    return list_jobs(
        {"status": [status], "updatedAt": {"lt": since.isoformat()}}, "CREATED_AT", "ASC", 100
    )


def give_back_lost() -> None:
    """Give back the jobs of workers that died. `attempt` keeps a run that has begun since safe."""
    for job in list_silent("RUNNING"):
        if job["attempt"] < job["maxAttempts"]:
            change(job["id"], "RUNNING", "QUEUED", attempt=job["attempt"])
            continue
        # Given back, it would run for ever: perhaps it is what kills its worker each time.
        lost = {"errorCode": "WORKER_LOST", "errorMessage": "Its worker stopped reporting."}
        change(job["id"], "RUNNING", "FAILED", attempt=job["attempt"], **lost)
        settle(job)
    for job in list_silent("FAILED"):
        settle(job)  # its worker died just after it had failed


def render(payload: Any, note: Note) -> Json:
    """Do the work of a job of the type invoice.render."""
    note(0.5, {"pages": payload["pages"]})
    return {"pages": payload["pages"]}


RUNS: Mapping[str, Callable[[Any, Note], Json]] = {"invoice.render": render}


def main() -> None:
    """Work for ever."""
    while True:
        give_back_lost()
        jobs = next_jobs()
        for job in jobs:
            run(job)
        if not jobs:
            time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    main()
