"""Runs PgQueuer: adds jobs of every outcome, works on them, and prints what was seen."""

import asyncio
import json
import sys
from datetime import timedelta

import asyncpg
from pgqueuer import AsyncpgDriver, Job, PgQueuer, Queries
from pgqueuer.executors import DatabaseRetryEntrypointExecutor

seen: list[tuple[str, str]] = []


def register(queuer: PgQueuer) -> None:
    @queuer.entrypoint("email.send")
    async def email(job: Job) -> None:
        seen.extend([(str(job.id), "running"), (str(job.id), "succeeded")])

    @queuer.entrypoint("report.build")
    async def report(job: Job) -> None:
        seen.extend([(str(job.id), "running"), (str(job.id), "failed")])
        raise ValueError("no data")

    @queuer.entrypoint(
        "invoice.sync",
        executor_factory=lambda parameters: DatabaseRetryEntrypointExecutor(
            parameters=parameters, max_attempts=3, initial_delay=timedelta(milliseconds=50)
        ),
    )
    async def invoice(job: Job) -> None:
        seen.append((str(job.id), "running"))
        if job.attempts < 2:
            seen.append((str(job.id), "failed"))
            raise RuntimeError("ERP answered 503")
        seen.append((str(job.id), "succeeded"))


async def main() -> None:
    connection, watching = [await asyncpg.connect(sys.argv[1]) for _ in range(2)]
    driver = AsyncpgDriver(connection)
    queries, queuer = Queries(driver), PgQueuer(driver)
    await queries.install()
    register(queuer)
    print("ready", flush=True)
    sys.stdin.readline()
    await queries.enqueue(["email.send"] * 20, [b'{"to": "ada@example.com"}'] * 20, [0] * 20)
    await queries.enqueue(["invoice.sync", "report.build"] * 3, [None] * 6, [0] * 6)
    later = timedelta(days=30)
    called_off, _waits = await queries.enqueue(["email.send"] * 2, [None] * 2, [0] * 2, [later] * 2)
    await queries.mark_job_as_cancelled([called_off])
    seen.append((str(called_off), "canceled"))
    running = asyncio.create_task(queuer.run(dequeue_timeout=timedelta(seconds=0.2)))
    while await watching.fetchval(
        "SELECT count(*) FROM pgqueuer WHERE execute_after < now() + interval '1 day'"
    ):
        await asyncio.sleep(0.1)
    queuer.shutdown.set()
    await running
    print(json.dumps(seen))


asyncio.run(main())
