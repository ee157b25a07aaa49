"""django-tasks-db: one attempt, with its times, its result, and the stack of its error."""

from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.error_texts import python_errors
from mirror.adapters.history import DEAD_LETTER, QUEUED, SUCCEEDED, History, later

_TASKS = "django_tasks_database_dbtaskresult"


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a task. A year 9999 in `run_after` means none."""
    task = rows[_TASKS][0]
    history = History(str(task["id"]), task["enqueued_at"])
    due = later(task["run_after"], task["enqueued_at"])
    workers = task["worker_ids"] if isinstance(task["worker_ids"], list) else []
    attempt = max(len(workers), 1)
    history.add(
        QUEUED, task["enqueued_at"], 0, scheduled_at=due, detail={"backend": _backend(task)}
    )
    if task["started_at"] is not None and task["status"] != "READY":
        history.begin(task["started_at"], attempt, worker=str(workers[-1]) if workers else None)
    if task["status"] == "SUCCESSFUL":
        history.add(SUCCEEDED, task["finished_at"], attempt)
    elif task["status"] == "FAILED":
        history.fail(task["finished_at"], attempt, then=DEAD_LETTER, **_error(task))
    return history.described(
        now,
        type=task["task_path"],
        queue=task["queue_name"],
        priority=task["priority"],
        max_attempts=attempt,
        payload=task["args_kwargs"],
        result=task["return_value"] if history.status is SUCCEEDED else None,
    )


def _backend(task: Row) -> str | None:
    name: str = task["backend_name"]
    return None if name == "default" else name


def _error(task: Row) -> dict[str, Any]:
    chain = python_errors(task["traceback"])
    return {
        "error_code": task["exception_class_path"] or (chain[-1].code if chain else None),
        "error_message": chain[-1].message if chain else task["traceback"] or None,
        "detail": {"traceback": task["traceback"] or None},
    }


ADAPTER = Adapter(
    kind="django_tasks",
    title="django-tasks",
    landmark=(_TASKS, "task_path"),
    version="""(
        SELECT max(left(name, 4)) FROM {schema}.django_migrations
        WHERE app = 'django_tasks_database'
    )""",
    versions=("0018", "0019", "0020", "0021"),
    tables=(
        Table(
            _TASKS,
            {
                "id": v.text,
                "status": v.text,
                "args_kwargs": v.json,
                "priority": int,
                "task_path": v.text,
                "queue_name": v.text,
                "backend_name": v.text,
                "run_after": v.time,
                "enqueued_at": v.time,
                "finished_at": v.time,
                "started_at": v.time,
                "return_value": v.json,
                "exception_class_path": v.text,
                "traceback": v.text,
                "worker_ids": v.json,
            },
            key_type="uuid",
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.django_tasks_database_dbtaskresult AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::uuid)
            AND ($3::timestamptz IS NULL OR finished_at IS NULL OR finished_at >= $3)
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', status, started_at, run_after, priority)
        FROM {schema}.django_tasks_database_dbtaskresult WHERE finished_at IS NULL
    """,
    recent="""
        SELECT id::text, concat_ws(' ', status, finished_at)
        FROM {schema}.django_tasks_database_dbtaskresult
        WHERE finished_at >= $1::text::timestamptz
    """,
    keeps="until prune_db_task_results is run",
    missed="nothing, while results are kept",
    unknown="nothing of a task; it has one attempt and cannot be cancelled",
)
