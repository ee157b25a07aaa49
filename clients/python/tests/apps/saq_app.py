import asyncio
import os
import signal
import time
from pathlib import Path

from recording import REDIS, recorder
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

from joblens_client.saq import instrument

queue = RedisQueue(Redis(unix_socket_path=REDIS), name=os.environ.get("QUEUE", "mail"))
instrument(queue, recorder)


async def add(ctx, *, x, y):
    return x + y


async def broken(ctx):
    raise ValueError("no such customer")


async def flaky(ctx, *, path):
    if not Path(path).exists():
        Path(path).touch()
        raise ConnectionError("refused")


async def wait(ctx, *, path):
    while not Path(path).exists():
        await asyncio.sleep(0.02)


async def killed_once(ctx, *, path):
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)


settings = {
    "queue": queue,
    "functions": [add, broken, flaky, wait, killed_once],
    "concurrency": 4,
    "timers": {"sweep": int(os.environ.get("SWEEP", "60")), "abort": 1, "schedule": 1},
}


async def send(function, **given):
    job = await queue.enqueue(function, **given)
    return None if job is None else [job.key, f"{job.key}:{job.queued}"]


async def abort(key):
    job = await queue.job(key)
    await job.abort("not wanted")


def later(seconds):
    return int(time.time()) + seconds
