"""pg-boss: of the attempts only the last start, end and output are kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.facts import Fact
from db.json_values import dumps
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.history import CANCELED, DEAD_LETTER, QUEUED, SUCCEEDED, History, later

_JOBS = "job"


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job; `retry_count` counts the starts before the last one."""
    jobs = sorted(rows[_JOBS], key=lambda row: (row["created_on"], row["name"]))
    return [fact for job in jobs for fact in _facts_of(job, job is jobs[0], now)]


def _facts_of(job: Row, is_first: bool, now: datetime) -> list[Fact]:
    # Ids are unique in one queue only.
    external_id = str(job["id"]) if is_first else f"{job['name']}/{job['id']}"
    history = History(external_id, job["created_on"])
    due = later(job["start_after"], job["created_on"])
    starts = job["retry_count"]
    first_due = due if not starts and job["state"] != "retry" else None
    history.add(QUEUED, job["created_on"], 0, scheduled_at=first_due, detail=_notes(job))
    if starts:
        history.skip_to(starts, scheduled_at=due)
    _add_last_run(history, job, due)
    return history.described(
        now,
        type=job["name"],
        queue=job["name"],
        priority=job["priority"],
        max_attempts=job["retry_limit"] + 1,
        payload=job["data"],
        result=job["output"] if history.status is SUCCEEDED else None,
    )


def _add_last_run(history: History, job: Row, due: datetime | None) -> None:
    state, attempt = job["state"], job["retry_count"] + 1
    if job["started_on"] is None:
        attempt -= state in {"cancelled", "created"}
    else:
        history.begin(job["started_on"], attempt)
    if state == "created" and job["started_on"] is not None:
        # Cancelled and resumed, which is when it is due again.
        history.add(QUEUED, due, attempt, ts_of="start_after", scheduled_at=due)
    elif state == "retry":
        at, ts_of = job["started_on"], "started_on"
        history.fail(at, attempt, then=QUEUED, ts_of=ts_of, scheduled_at=due, **_error(job))
    elif state == "completed":
        history.add(SUCCEEDED, job["completed_on"], attempt)
    elif state == "cancelled":
        history.add(CANCELED, job["completed_on"], attempt)
    elif state == "failed":
        history.fail(job["completed_on"], attempt, then=DEAD_LETTER, **_error(job))


def _error(job: Row) -> dict[str, Any]:
    output = job["output"]
    if output is None:
        return {}
    if not isinstance(output, dict):
        return {"error_message": output if isinstance(output, str) else dumps(output).decode()}
    message = output.get("message")
    if message is None and set(output) == {"value"}:
        message = output["value"]
    if not isinstance(message, str):
        message = dumps(output if message is None else message).decode()
    code = output.get("code") or output.get("name")
    return {
        "error_code": None if code is None else str(code),
        "error_message": message,
        "detail": {"stack": output.get("stack")},
    }


def _notes(job: Row) -> Mapping[str, Any]:
    origin = job["source_id"]
    dead_letter_of = {"queue": job["source_name"], "id": origin} if origin else None
    return {
        "singleton_key": job["singleton_key"],
        "blocked": job["blocked"] or None,
        "dead_letter_of": dead_letter_of,
    }


ADAPTER = Adapter(
    kind="pg_boss",
    title="pg-boss",
    landmark=(_JOBS, "retry_limit"),
    version="(SELECT max(version)::text FROM {schema}.version)",
    versions=tuple(map(str, range(34, 47))),
    tables=(
        Table(
            _JOBS,
            {
                "id": v.text,
                "name": v.text,
                "priority": int,
                "data": v.json,
                "state": v.text,
                "retry_limit": int,
                "retry_count": int,
                "singleton_key": v.text,
                "start_after": v.time,
                "created_on": v.time,
                "started_on": v.time,
                "completed_on": v.time,
                "output": v.json,
                "blocked": v.flag,
                "source_name": v.text,
                "source_id": v.text,
            },
            key_type="uuid",
            primary_key=("name", "id"),
        ),
    ),
    facts=facts,
    page="""
        SELECT DISTINCT id::text AS key, job.id FROM {schema}.job
        WHERE ($1::text IS NULL OR id > $1::text::uuid)
            AND ($3::timestamptz IS NULL OR completed_on IS NULL OR completed_on >= $3)
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, string_agg(concat_ws(' ', name, state, retry_count, started_on,
            start_after, priority), ',')
        FROM {schema}.job WHERE state IN ('created', 'retry', 'active') GROUP BY id
    """,
    recent="""
        SELECT id::text, string_agg(concat_ws(' ', name, state, completed_on), ',')
        FROM {schema}.job WHERE completed_on >= $1::text::timestamptz GROUP BY id
    """,
    keeps="7 days after the end (deletion_seconds)",
    missed="attempts between two polls, but for the last: the queue overwrites them",
    unknown="starts, ends and errors of attempts that are not the last; why a job was cancelled",
)
