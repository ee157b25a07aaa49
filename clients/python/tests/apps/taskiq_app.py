import os
import signal
from pathlib import Path

from recording import REDIS, recorder
from taskiq import SimpleRetryMiddleware
from taskiq_redis import RedisStreamBroker

from joblens_client.taskiq import JoblensMiddleware

broker = RedisStreamBroker(
    f"unix://{REDIS}",
    queue_name=os.environ.get("QUEUE", "mail"),
    idle_timeout=1_000,
    unacknowledged_lock_timeout=1,
)
broker.add_middlewares(SimpleRetryMiddleware(), JoblensMiddleware(recorder))


@broker.task
async def add(x: int, y: int) -> int:
    return x + y


@broker.task
def add_slowly(x: int, y: int) -> int:
    return x + y


@broker.task
async def broken() -> None:
    raise ValueError("no such customer")


@broker.task(retry_on_error=True, max_retries=2)
async def flaky(path: str) -> None:
    if not Path(path).exists():
        Path(path).touch()
        raise ConnectionError("refused")


@broker.task(retry_on_error=True, max_retries=2)
async def always() -> None:
    raise ConnectionError("refused")


@broker.task
async def killed_once(path: str) -> None:
    if not Path(path).exists():
        Path(path).touch()
        os.killpg(os.getpgid(0), signal.SIGKILL)


@broker.task
async def parent() -> str:
    return (await add.kiq(1, 1)).task_id


started = []


async def send(task, *args):
    if not started:
        await broker.startup()
        started.append(True)
    return (await task.kiq(*args)).task_id
