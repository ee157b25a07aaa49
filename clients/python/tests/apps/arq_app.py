import asyncio
import os
import signal
from datetime import timedelta  # noqa: F401 - for expressions
from pathlib import Path

from arq import Retry, create_pool
from arq.connections import RedisSettings
from recording import REDIS, recorder

from joblens_client.arq import instrument

REDIS_SETTINGS = RedisSettings(unix_socket_path=REDIS)


async def add(ctx, x, y):
    return x + y


async def broken(ctx):
    raise ValueError("no such customer")


async def flaky(ctx, path):
    if not Path(path).exists():
        Path(path).touch()
        try:
            raise ConnectionError("refused")
        except ConnectionError as error:
            raise Retry(defer=0.3) from error


async def always(ctx):
    raise Retry


async def wait(ctx, path):
    while not Path(path).exists():
        await asyncio.sleep(0.02)


async def killed_once(ctx, path):
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)


async def parent(ctx):
    return (await ctx["redis"].enqueue_job("add", 1, 1)).job_id


class WorkerSettings:
    functions = [add, broken, flaky, always, wait, killed_once, parent]
    redis_settings = REDIS_SETTINGS
    poll_delay = 0.05
    max_tries = 2
    job_timeout = int(os.environ.get("TIMEOUT", "300"))
    allow_abort_jobs = True
    queue_name = os.environ.get("QUEUE", "arq:queue")


instrument(recorder, WorkerSettings)
pools = []


async def send(function, *args, **kwargs):
    if not pools:
        pools.append(await create_pool(REDIS_SETTINGS))
    job = await pools[0].enqueue_job(function, *args, **kwargs)
    return job.job_id


async def abort(id_):
    from arq.jobs import Job

    return await Job(id_, pools[0]).abort()
