"""Runs Procrastinate: adds jobs of every outcome, works on them, and prints what was seen.

With a second argument it adds more of them for so many seconds.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))
seen: list[tuple[str, str]] = []


def see(context: procrastinate.JobContext, what: str) -> None:
    seen.append((str(context.job.id), what))


@app.task(name="email.send", queue="mail", pass_context=True)
async def email(context: procrastinate.JobContext, to: str) -> None:
    see(context, "running")
    see(context, "succeeded")


@app.task(
    name="invoice.sync",
    pass_context=True,
    retry=procrastinate.RetryStrategy(max_attempts=5, wait=0),
)
async def invoice(context: procrastinate.JobContext) -> None:
    see(context, "running")
    if context.job.attempts < 2:
        see(context, "failed")
        raise RuntimeError("ERP answered 503")
    see(context, "succeeded")


@app.task(
    name="report.build",
    pass_context=True,
    retry=procrastinate.RetryStrategy(max_attempts=1, wait=0),
)
async def report(context: procrastinate.JobContext) -> None:
    see(context, "running")
    see(context, "failed")
    raise ValueError("no data")


@app.task(name="video.encode", pass_context=True)
async def video(context: procrastinate.JobContext) -> None:
    see(context, "running")
    try:
        await asyncio.sleep(300)
    finally:
        # It is aborted by a cancellation.
        see(context, "canceled")


async def are_busy() -> bool:
    jobs = await app.job_manager.list_jobs_async()
    now = datetime.now(UTC)
    return any(
        job.status == "doing" or (job.status == "todo" and (job.scheduled_at or now) <= now)
        for job in jobs
    )


async def add_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await email.defer_async(to="more@example.com")
        await invoice.defer_async()
        await report.defer_async()
        await asyncio.sleep(0.2)


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(20):
            await email.defer_async(to=f"user{number}@example.com")
        for _ in range(3):
            await invoice.defer_async()
            await report.defer_async()
        later = datetime.now(UTC) + timedelta(days=30)
        await email.configure(schedule_at=later).defer_async(to="later@example.com")
        called_off = await email.configure(schedule_at=later).defer_async(to="x@example.com")
        await app.job_manager.cancel_job_by_id_async(called_off)
        seen.append((str(called_off), "canceled"))
        aborted = await video.defer_async()
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=4, install_signal_handlers=False)
        )
        while (str(aborted), "running") not in seen:
            await asyncio.sleep(0.1)
        await app.job_manager.cancel_job_by_id_async(aborted, abort=True)
        await add_for(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
        while await are_busy():
            await asyncio.sleep(0.1)
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
    print(json.dumps(seen))


asyncio.run(main())
