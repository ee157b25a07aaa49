"""The jobs of chancy_worker.py, which the worker imports."""

from chancy import QueuedJob, job

seen: list[tuple[str, str]] = []


@job(queue="default")
async def email(*, to: str, context: QueuedJob) -> None:
    seen.extend([(str(context.id), "running"), (str(context.id), "succeeded")])


@job(queue="default")
async def report(*, context: QueuedJob) -> None:
    seen.extend([(str(context.id), "running"), (str(context.id), "failed")])
    raise ValueError("no data")


@job(queue="default")
async def invoice(*, context: QueuedJob) -> None:
    seen.append((str(context.id), "running"))
    if context.attempts < 2:
        seen.append((str(context.id), "failed"))
        raise RuntimeError("ERP answered 503")
    seen.append((str(context.id), "succeeded"))
