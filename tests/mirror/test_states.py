"""States of jobs that the samples do not have: each adapter tells what may be known of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.facts import Fact
from db.facts.history import history_of
from db.facts.storable import step_of_fact
from mirror.adapters import ADAPTERS, Row
from mirror.adapters.values import json, payload, texts, time

T0 = datetime(2026, 11, 24, 9, tzinfo=UTC)
NOW = T0 + timedelta(days=1)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def facts(kind: str, **tables: list[Row]) -> list[Fact]:
    """Map the rows of a job; columns that are not given are null."""
    adapter = ADAPTERS[kind]
    rows = {
        table.name: [{**dict.fromkeys(table.columns), **row} for row in tables.get(table.name, [])]
        for table in adapter.tables
    }
    return adapter.facts(rows, NOW)


def told(kind: str, **tables: list[Row]) -> list[str]:
    """Map the rows of a job to its history: its statuses with their attempts."""
    events = history_of(map(step_of_fact, facts(kind, **tables)))
    return [f"{event.next_status} {event.attempt}" for event in events]


BEGUN = ["queued 0", "running 1"]
FAILED = [*BEGUN, "failed 1"]
DEAD = [*FAILED, "dead_letter 1"]
RETRIED = [*FAILED, "queued 1"]


def procrastinate(status: str, *events: str, **job: Any) -> list[str]:
    row = {"id": 1, "task_name": "t", "queue_name": "q", "priority": 0, "status": status, **job}
    lines = [
        {"id": number, "job_id": 1, "type": kind, "at": at(number)}
        for number, kind in enumerate(events, start=1)
    ]
    return told("procrastinate", procrastinate_jobs=[row], procrastinate_events=lines)


def test_procrastinate() -> None:
    assert procrastinate("todo", "scheduled", "deferred", scheduled_at=at(90)) == ["queued 0"]
    retried = ["deferred", "started", "scheduled", "deferred_for_retry"]
    assert procrastinate("todo", *retried) == RETRIED
    # An abort was requested, and then it failed: it is not retried.
    aborted = ["deferred", "started", "abort_requested", "failed"]
    assert procrastinate("failed", *aborted) == [*BEGUN, "running 1", "failed 1", "dead_letter 1"]
    # Its events are gone, or were never written.
    assert procrastinate("doing") == BEGUN
    assert procrastinate("failed") == DEAD
    # The event of a job that ended without having been started says cancelled.
    assert procrastinate("succeeded", "deferred", "cancelled")[-1] == "succeeded 1"


def river(state: str, attempt: int = 0, errors: int = 0, **job: Any) -> list[str]:
    row = {
        "id": 1,
        "kind": "k",
        "queue": "q",
        "state": state,
        "attempt": attempt,
        "max_attempts": 25,
        "priority": 1,
        "created_at": T0,
        "scheduled_at": T0,
        "attempted_at": at(10 * attempt) if attempt else None,
        "errors": [
            {"at": at(10 * n + 1).isoformat(), "attempt": n, "error": "boom"}
            for n in range(1, errors + 1)
        ],
        **job,
    }
    return told("river", river_job=[row])


def test_river() -> None:
    assert river("available", 1, 1) == RETRIED
    assert river("running", 2, 1) == [*RETRIED, "running 2"]
    assert river("cancelled", 1, 1, finalized_at=at(99)) == [*RETRIED, "canceled 1"]
    assert river("cancelled", 1, 1, finalized_at=at(11)) == [*BEGUN, "canceled 1"]
    assert river("cancelled", 1, 0, finalized_at=at(11)) == [*BEGUN, "canceled 1"]
    # Rescued: its worker was lost, which is an error of its own.
    assert river("retryable", 1, 1) == RETRIED
    # Retried by hand after its success.
    assert river("available", 1, 0, scheduled_at=at(60)) == [*BEGUN, "queued 1"]
    # Snoozed after two failures: its third start was taken back.
    twice = [*RETRIED, "running 2", "failed 2", "queued 2"]
    assert river("scheduled", 2, 2, scheduled_at=at(900)) == twice
    # Errors were trimmed: one fact stands for the attempts of which nothing is kept.
    assert river("running", 3, 0) == ["queued 0", "queued 2", "running 3"]


def oban(state: str, attempt: int = 0, errors: int = 0, **job: Any) -> list[str]:
    row = {
        "id": 1,
        "worker": "W",
        "queue": "q",
        "state": state,
        "attempt": attempt,
        "max_attempts": 20,
        "priority": 0,
        "inserted_at": T0,
        "scheduled_at": T0,
        "attempted_at": at(10 * attempt) if attempt else None,
        "errors": [
            {"at": at(10 * n + 1).isoformat(), "attempt": n, "error": "** (E) boom\n    a.ex:1"}
            for n in range(1, errors + 1)
        ],
        **job,
    }
    return told("oban", oban_jobs=[row])


def test_oban() -> None:
    assert oban("suspended") == ["queued 0"]
    assert oban("cancelled", 1, 1, cancelled_at=at(11.2)) == [*BEGUN, "canceled 1"]
    assert oban("cancelled", 1, 1, cancelled_at=at(500)) == [*RETRIED, "canceled 1"]
    assert oban("discarded", 1, 0, discarded_at=at(11)) == DEAD
    assert oban("executing", 2, 1) == [*RETRIED, "running 2"]


def good_job(*executions: tuple[int | None, bool], **job: Any) -> list[str]:
    """Map a job with executions: the event of their error, and whether they have ended."""
    rows = [
        {
            "id": str(n),
            "created_at": at(10 * n),
            "finished_at": at(10 * n + 1) if has_ended else None,
            "error": None if event is None else "E: boom",
            "error_event": event,
        }
        for n, (event, has_ended) in enumerate(executions, start=1)
    ]
    row = {"id": "1", "created_at": T0, "executions_count": len(rows), "job_class": "J", **job}
    return told("good_job", good_jobs=[row], good_job_executions=rows)


def test_good_job() -> None:
    interrupted, unhandled, retried, stopped, discarded = 0, 1, 3, 4, 5
    assert good_job((interrupted, True)) == RETRIED
    runs = good_job((interrupted, True), (None, False), performed_at=at(20))
    assert runs == [*RETRIED, "running 2"]
    assert good_job((stopped, True), finished_at=at(11), error="E: boom") == DEAD
    # Retried by hand, after it was discarded or has failed for good.
    assert good_job((discarded, True)) == [*BEGUN, "canceled 1", "queued 1"]
    assert good_job((unhandled, True)) == RETRIED
    assert good_job((retried, True), (None, True), finished_at=at(21))[-1] == "succeeded 2"
    # No executions are kept.
    ended = {"performed_at": at(5), "finished_at": at(6), "executions_count": 1}
    assert good_job(**ended) == [*BEGUN, "succeeded 1"]
    assert good_job(**ended, error="E: boom", error_event=unhandled) == DEAD
    assert good_job(finished_at=at(6), error="E: x", error_event=discarded)[-1] == "canceled 0"


def solid_queue(*jobs: dict[str, Any], **executions: list[Row]) -> list[str]:
    rows = [
        {
            "id": n,
            "active_job_id": "a",
            "class_name": "J",
            "queue_name": "q",
            "priority": 0,
            "created_at": at(10 * n),
            "arguments": {"executions": n - 1},
            **job,
        }
        for n, job in enumerate(jobs, start=1)
    ]
    named = {f"solid_queue_{name}_executions": found for name, found in executions.items()}
    return told("solid_queue", solid_queue_jobs=rows, **named)


def test_solid_queue() -> None:
    claimed = {"id": 1, "job_id": 2, "created_at": at(25), "process_id": 7}
    first = {"finished_at": at(20)}
    assert solid_queue(first, {}, claimed=[claimed]) == [*RETRIED, "running 2"]
    # The retry is added while the run is still claimed.
    assert solid_queue({}, {}, claimed=[claimed | {"job_id": 1, "created_at": at(15)}]) == RETRIED
    failed = {"id": 1, "job_id": 2, "created_at": at(26), "error": {"exception_class": "E"}}
    assert solid_queue(first, {}, failed=[failed])[-2:] == ["failed 2", "dead_letter 2"]
    # The rows before it were cleared.
    assert solid_queue({"arguments": {"executions": 2}}) == ["queued 2"]
    assert solid_queue({"arguments": None}) == ["queued 0"]


def pg_boss(state: str, retries: int = 0, **job: Any) -> list[str]:
    row = {
        "id": "a",
        "name": "q",
        "state": state,
        "retry_count": retries,
        "retry_limit": 2,
        "priority": 0,
        "created_on": T0,
        "start_after": T0,
        **job,
    }
    return told("pg_boss", job=[row])


def test_pg_boss() -> None:
    error = {"message": "boom", "name": "Error"}
    assert pg_boss("retry", started_on=at(5), output=error) == RETRIED
    assert pg_boss("active", 1, started_on=at(50), output=error) == [
        "queued 0",
        "queued 1",
        "running 2",
    ]
    assert pg_boss("cancelled", completed_on=at(5)) == ["queued 0", "canceled 0"]
    # Resumed after it was cancelled while it ran.
    assert pg_boss("created", started_on=at(5), start_after=at(9)) == [*BEGUN, "queued 1"]
    assert pg_boss("failed", started_on=at(5), completed_on=at(6), output=error) == DEAD


def test_pg_boss_may_have_one_id_in_two_queues() -> None:
    row = {"id": "a", "state": "created", "retry_count": 0, "retry_limit": 2, "start_after": T0}
    jobs = [row | {"name": "b", "created_on": at(9)}, row | {"name": "a", "created_on": T0}]
    assert [fact.external_id for fact in facts("pg_boss", job=jobs)] == ["a", "b/a"]


def graphile(attempts: int = 0, **job: Any) -> list[str]:
    row = {
        "id": 1,
        "task_id": 1,
        "attempts": attempts,
        "max_attempts": 3,
        "priority": 0,
        "created_at": T0,
        "updated_at": T0,
        "run_at": T0,
        "revision": 0,
        **job,
    }
    return told("graphile_worker", _private_jobs=[row])


def test_graphile_worker() -> None:
    failed = {"last_error": "boom", "run_at": at(30)}
    assert graphile(1, **failed) == RETRIED
    assert graphile(2, **failed, locked_at=at(40)) == [*RETRIED, "running 2"]
    assert graphile(3, **failed)[-2:] == ["failed 3", "dead_letter 3"]
    # Given back by a worker that ended.
    assert graphile(1) == ["queued 0", "queued 1"]
    # Replaced by its key, and then failed for good.
    replaced = {"revision": 1, "updated_at": at(10), "last_error": "boom", "run_at": at(60)}
    assert graphile(3, **replaced)[-1] == "dead_letter 3"


def pg_queuer(*lines: str, **job: Any) -> list[str]:
    log = [
        {
            "id": n,
            "job_id": 1,
            "created": at(n),
            "status": line.removesuffix("!"),
            "entrypoint": "e",
            "priority": 0,
            "traceback": {"exception_type": "E", "exception_message": "boom"}
            if line.endswith("!")
            else None,
        }
        for n, line in enumerate(lines, start=1)
    ]
    row = {"id": 1, "entrypoint": "e", "priority": 0, "created": T0, "execute_after": T0}
    jobs = [row | {"updated": at(90), "attempts": 0} | job] if job else []
    return told("pg_queuer", pgqueuer=jobs, pgqueuer_log=log)


def test_pg_queuer() -> None:
    assert pg_queuer("queued", "picked", "queued!") == RETRIED
    assert pg_queuer("queued", "picked", "exception!") == DEAD
    held = ["queued", "picked", "failed!", "queued", "picked"]
    assert pg_queuer(*held) == [*DEAD, "queued 1", "running 2"]
    # Picked again, because its worker was lost.
    assert pg_queuer("queued", "picked", "picked") == [*BEGUN, "queued 1", "running 2"]
    assert pg_queuer("queued", "deleted") == ["queued 0", "canceled 0"]
    # Its log was cleared.
    assert pg_queuer(status="picked") == BEGUN
    assert pg_queuer(status="failed") == DEAD
    assert pg_queuer(status="queued", attempts=2) == ["queued 0", "queued 2"]


def chancy(state: str, attempts: int = 0, errors: int = 0, **job: Any) -> list[str]:
    row = {
        "id": "a",
        "func": "f",
        "queue": "q",
        "state": state,
        "attempts": attempts,
        "max_attempts": 3,
        "created_at": T0,
        "scheduled_at": T0,
        "errors": [{"attempt": n, "traceback": "ValueError: boom"} for n in range(errors)],
        **job,
    }
    return told("chancy", chancy_jobs=[row])


def test_chancy() -> None:
    started = {"started_at": at(5)}
    assert chancy("retrying", 1, 1, **started, scheduled_at=at(60)) == RETRIED
    assert chancy("running", 1, 1, **started) == [*RETRIED, "running 2"]
    ended = started | {"completed_at": at(6)}
    assert chancy("succeeded", 2, 1, **ended) == [*RETRIED, "running 2", "succeeded 2"]
    assert chancy("failed", 3, 3, **ended)[-3:] == ["running 3", "failed 3", "dead_letter 3"]
    # Cancelled: while it waited, while it ran, and while it waited for its retry.
    assert chancy("failed", completed_at=at(6)) == ["queued 0", "canceled 0"]
    assert chancy("failed", 0, 0, **ended) == [*BEGUN, "canceled 1"]
    assert chancy("failed", 1, 1, **ended, scheduled_at=at(60)) == [*RETRIED, "canceled 1"]
    assert chancy("failed", 1, 1, **ended, scheduled_at=at(4)) == [
        *RETRIED,
        "running 2",
        "canceled 2",
    ]
    # Retried by hand: the attempts are counted anew, the errors stay.
    assert chancy("retrying", 0, 1, scheduled_at=at(60)) == RETRIED
    assert chancy("running", 0, 1, **started) == [*RETRIED, "running 2"]
    # Recovered from a worker that was lost.
    assert chancy("pending", 1, 1) == RETRIED


def django_tasks(status: str, **task: Any) -> list[str]:
    row = {
        "id": "a",
        "task_path": "t",
        "queue_name": "q",
        "backend_name": "default",
        "status": status,
        "priority": 0,
        "enqueued_at": T0,
        "exception_class_path": "",
        "traceback": "",
        **task,
    }
    return told("django_tasks", django_tasks_database_dbtaskresult=[row])


def test_django_tasks() -> None:
    assert django_tasks("READY") == ["queued 0"]
    assert django_tasks("FAILED", finished_at=at(5)) == DEAD
    assert django_tasks("RUNNING", started_at=at(4), worker_ids=["a"]) == BEGUN


def test_values() -> None:
    assert texts('{a,"b \\"c\\"",NULL,"NULL",""}') == ["a", 'b "c"', None, "NULL", ""]
    assert texts("{}") == []
    assert time("infinity") is None
    assert time("9999-01-01 00:00:00+00") is None
    assert time("2026-11-24 09:00:00") == T0
    assert time("2026-11-24 10:00:00.5+01") == at(0.5)
    assert json("[" * 5000 + "]" * 5000) == {"joblens": "left out: 10000 bytes"}
    assert json('"' + "x" * 300_000 + '"') == {"joblens": "left out: 300002 bytes"}
    assert payload("\\x7b7d") == {}
    assert payload("\\xff00") == "/wA="


@pytest.mark.parametrize("kind", ADAPTERS)
def test_an_adapter_says_what_to_expect(kind: str) -> None:
    adapter = ADAPTERS[kind]
    assert all((adapter.versions, adapter.keeps, adapter.missed, adapter.unknown))
