import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

from huey import PriorityRedisHuey
from huey.exceptions import CancelExecution, RetryTask
from recording import REDIS, recorder
from redis import ConnectionPool, UnixDomainSocketConnection

from joblens_client.huey import instrument

pool = ConnectionPool(connection_class=UnixDomainSocketConnection, path=REDIS)
huey = PriorityRedisHuey("mail", connection_pool=pool)
instrument(huey, recorder)


@huey.task(priority=3)
def add(x, y):
    return x + y


@huey.task()
def broken():
    raise ValueError("no such customer")


@huey.task(retries=1)
def flaky(path):
    if not Path(path).exists():
        Path(path).touch()
        raise ConnectionError("refused")


@huey.task(retries=1, retry_delay=1)
def always():
    raise ConnectionError("refused")


@huey.task()
def again(path):
    if not Path(path).exists():
        Path(path).touch()
        raise RetryTask


@huey.task()
def unwanted():
    raise CancelExecution(retry=False)


@huey.task()
@huey.lock_task("lock")
def locked(path):
    while not Path(path).exists():
        time.sleep(0.02)


@huey.task()
def killed(path):
    os.kill(os.getpid(), signal.SIGKILL)


def at_once():
    huey.immediate = True
    try:
        return add(1, 1).id
    finally:
        huey.immediate = False


def past():
    return datetime.now() - timedelta(hours=1)
