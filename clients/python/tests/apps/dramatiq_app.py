import os
import signal
import time
from pathlib import Path

import dramatiq
from dramatiq import group, pipeline  # noqa: F401 - for expressions
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend
from recording import REDIS, recorder

from joblens_client.dramatiq import JoblensMiddleware

broker = RedisBroker(url=f"unix://{REDIS}", heartbeat_timeout=1_000, maintenance_chance=1_000_000)
broker.add_middleware(GroupCallbacks(StubBackend()))
broker.add_middleware(JoblensMiddleware(recorder))
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="mail", priority=3)
def add(x, y):
    return x + y


@dramatiq.actor(max_retries=0)
def broken():
    raise ValueError("no such customer")


@dramatiq.actor(max_retries=1, min_backoff=100)
def flaky(path):
    if not Path(path).exists():
        Path(path).touch()
        raise ConnectionError("refused")


@dramatiq.actor(max_retries=1, min_backoff=100)
def always():
    raise ConnectionError("refused")


@dramatiq.actor(max_age=1)
def aged():
    pass


@dramatiq.actor
def wait(path):
    Path(path).touch()
    while not Path(path + ".go").exists():
        time.sleep(0.02)


@dramatiq.actor(queue_name="risky")
def killed_once(path):
    if not Path(path).exists():
        Path(path).touch()
        os.killpg(os.getpgid(0), signal.SIGKILL)


def send_unknown():
    message = add.message(1, 1)
    broker.enqueue(message.copy(actor_name="nowhere"))
    return message.message_id
