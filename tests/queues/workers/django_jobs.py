"""The tasks of django_worker.py."""

from django_tasks import TaskContext, task

seen: list[tuple[str, str]] = []


@task(takes_context=True)
def email(context: TaskContext, to: str) -> dict[str, str]:
    seen.extend([(context.task_result.id, "running"), (context.task_result.id, "succeeded")])
    return {"sent": to}


@task(takes_context=True)
def report(context: TaskContext) -> None:
    seen.extend([(context.task_result.id, "running"), (context.task_result.id, "failed")])
    raise ValueError("no data")
