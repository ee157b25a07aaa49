"""Runs Chancy: adds jobs of every outcome, works on them, and prints what was seen."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import chancy_jobs as jobs
from chancy import Chancy, Queue, Worker
from chancy.plugins.leadership import Leadership
from chancy.plugins.retry import RetryPlugin

SOON = {"retry_settings": {"backoff": 0.1, "backoff_factor": 1, "backoff_jitter": [0, 0.01]}}
QUEUE = Queue(
    "default", concurrency=4, executor="chancy.executors.asyncex.AsyncExecutor", polling_interval=1
)


async def main() -> None:
    async with Chancy(sys.argv[1], plugins=[RetryPlugin(), Leadership()]) as chancy:
        await chancy.migrate()
        await chancy.declare(QUEUE)
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(20):
            await chancy.push(jobs.email.job.with_kwargs(to=f"user{number}@example.com"))
        for _ in range(3):
            await chancy.push(jobs.invoice.job.with_max_attempts(5).with_meta(SOON))
            await chancy.push(jobs.report.job)
        later = datetime.now(UTC) + timedelta(days=30)
        waits = jobs.email.job.with_kwargs(to="later@example.com").with_scheduled_at(later)
        await chancy.push(waits)
        called_off = await chancy.push(waits)
        await chancy.cancel_job(called_off)
        jobs.seen.append((str(called_off.identifier), "canceled"))
        async with Worker(chancy) as worker:
            while len([each for each in jobs.seen if each[1] == "succeeded"]) < 23:
                await asyncio.sleep(0.1)
            while len([each for each in jobs.seen if each[1] == "failed"]) < 9:
                await asyncio.sleep(0.1)
            await worker.flush()
            await asyncio.sleep(1)
            await worker.flush()
    print(json.dumps(jobs.seen))


asyncio.run(main())
