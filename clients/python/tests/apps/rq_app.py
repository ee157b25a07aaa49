import os
import signal
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from recording import REDIS, recorder
from redis import Redis
from rq import Queue, Retry
from rq.command import send_stop_job_command
from rq.job import Job
from rq.registry import StartedJobRegistry

from joblens_client.rq import instrument

connection = Redis(unix_socket_path=REDIS)
REDIS_URL = f"unix://{REDIS}"
QUEUES = ["mail"]
instrument(recorder)
queue = Queue("mail", connection=connection)
risky = Queue("risky", connection=connection)
at_once = Queue("at_once", connection=connection, is_async=False)


def add(x, y):
    return x + y


def broken():
    raise ValueError("no such customer")


def flaky(path):
    if not Path(path).exists():
        Path(path).touch()
        raise ConnectionError("refused")


def again():
    return Retry(max=1)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once(path):
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def wait(path):
    while not Path(path).exists():
        time.sleep(0.02)


def later(**given):
    return datetime.now(timezone.utc) + timedelta(**given)


def clean_up():
    StartedJobRegistry(queue=risky).cleanup(time.time() + 1_000)


def stop(id_):
    send_stop_job_command(connection, id_)


def job(id_):
    return Job.fetch(id_, connection=connection)
