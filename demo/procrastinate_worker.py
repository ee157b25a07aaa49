"""A program: a Procrastinate queue with jobs of every outcome, and a worker, until its input ends.

Its argument is the URL of the queue's database. Procrastinate is an extra (`joblens[queue-demo]`),
so it is imported only when the program runs.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

# Between two new jobs.
INTERVAL_SECONDS = 1.0
CONCURRENCY = 8
# How long jobs that run have to end at the end; then they are aborted.
SHUTDOWN_SECONDS = 3.0
KEPT_HOURS, DELETE_EVERY_SECONDS = 1, 300.0
_RUN_SECONDS = (0.2, 2.0)
_PATIENCE_SECONDS = 3.0
_RETRY_SECONDS = 2
_LATER_SECONDS, _MUCH_LATER_SECONDS = 15, 3600

random = Random()  # noqa: S311 - not security relevant


def make_app(url: str) -> Any:
    """Make the queue's application: each of its tasks has another outcome."""
    import procrastinate  # noqa: PLC0415 - an extra

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="email.send", queue="mail")
    async def email(to: str) -> None:  # noqa: ARG001
        await _run()

    @app.task(
        name="invoice.sync",
        queue="erp",
        pass_context=True,
        retry=procrastinate.RetryStrategy(max_attempts=3, wait=_RETRY_SECONDS),
    )
    async def invoice(context: Any, number: int) -> None:  # noqa: ARG001
        await _run()
        if not context.job.attempts:
            raise RuntimeError("ERP answered 503")

    @app.task(
        name="report.build",
        queue="reports",
        retry=procrastinate.RetryStrategy(max_attempts=1, wait=_RETRY_SECONDS),
    )
    async def report(number: int) -> None:
        await _run()
        raise ValueError(f"report {number} has no data")

    @app.task(name="video.encode", queue="media")
    async def video(number: int) -> None:  # noqa: ARG001
        # Until it is aborted.
        await asyncio.sleep(_MUCH_LATER_SECONDS)

    return app


async def _run() -> None:
    await asyncio.sleep(random.uniform(*_RUN_SECONDS))


async def _succeeds(app: Any, number: int) -> None:
    await app.configure_task("email.send").defer_async(to=f"user{number}@example.com")


async def _succeeds_when_tried_again(app: Any, number: int) -> None:
    await app.configure_task("invoice.sync").defer_async(number=number)


async def _fails(app: Any, number: int) -> None:
    await app.configure_task("report.build").defer_async(number=number)


async def _is_aborted(app: Any, number: int) -> None:
    job_id = await app.configure_task("video.encode").defer_async(number=number)
    await asyncio.sleep(_PATIENCE_SECONDS)
    await app.job_manager.cancel_job_by_id_async(job_id, abort=True)


async def _waits(app: Any, number: int) -> None:
    await _schedule(app, number, _LATER_SECONDS)


async def _is_called_off(app: Any, number: int) -> None:
    job_id = await _schedule(app, number, _MUCH_LATER_SECONDS)
    await asyncio.sleep(_PATIENCE_SECONDS)
    await app.job_manager.cancel_job_by_id_async(job_id)


async def _schedule(app: Any, number: int, seconds: float) -> Any:
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    email = app.configure_task("email.send", schedule_at=due)
    return await email.defer_async(to=f"user{number}@example.com")


OUTCOMES: tuple[Callable[[Any, int], Coroutine[Any, Any, None]], ...] = (
    _succeeds,
    _succeeds_when_tried_again,
    _fails,
    _is_aborted,
    _waits,
    _is_called_off,
    _succeeds,
    _succeeds,
)


async def _add_jobs(app: Any) -> None:
    """Add jobs of one outcome after the other."""
    async with asyncio.TaskGroup() as group:
        for number in count():
            group.create_task(OUTCOMES[number % len(OUTCOMES)](app, number))
            await asyncio.sleep(INTERVAL_SECONDS)


async def _delete_old_jobs(app: Any) -> None:
    """Delete jobs that have ended: the mirror keeps them."""
    while True:
        await app.job_manager.delete_old_jobs(
            nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
        await asyncio.sleep(DELETE_EVERY_SECONDS)


async def _work(app: Any) -> None:
    worker = app.run_worker_async(
        concurrency=CONCURRENCY,
        install_signal_handlers=False,
        shutdown_graceful_timeout=SHUTDOWN_SECONDS,
    )
    async with asyncio.TaskGroup() as group:
        for work in (worker, _add_jobs(app), _delete_old_jobs(app)):
            group.create_task(work)


async def _until_input_ends() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


async def main(url: str) -> None:
    """Make the queue's tables if it has none, say so, and work until the input ends."""
    app = make_app(url)
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        print("ready", flush=True)
        work = asyncio.create_task(_work(app))
        ended = asyncio.create_task(_until_input_ends())
        await asyncio.wait((work, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


def run() -> None:
    """Run the program; an error is one line."""
    # Its jobs fail on purpose.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    try:
        asyncio.run(main(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - the demo logs no tracebacks
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        sys.exit(f"the demo's queue has ended: {type(error).__name__}: {error}")


if __name__ == "__main__":
    run()
