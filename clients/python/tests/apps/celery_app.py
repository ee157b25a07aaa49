import os
import signal
import time
from pathlib import Path

import celery
from celery import chain, chord, group  # noqa: F401 - for expressions
from celery.exceptions import Ignore, Reject
from recording import REDIS, recorder

from joblens_client.celery import instrument

app = celery.Celery("shop", broker=f"redis+socket://{REDIS}", backend=f"redis+socket://{REDIS}")
app.conf.update(
    broker_transport_options={"visibility_timeout": int(os.environ.get("VISIBILITY", "3600"))},
    task_default_queue="mail",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
instrument(app, recorder)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def secret(word):
    return None


@app.task
def broken():
    raise ValueError("no such customer")


@app.task(bind=True, max_retries=1)
def flaky(self, name, *, lasting=False):
    try:
        if lasting or not self.request.retries:
            raise ConnectionError("refused")
    except ConnectionError as error:
        raise self.retry(exc=error, countdown=0.2) from error
    return name


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def killed_once(self, path):
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


@app.task(bind=True, acks_late=True)
def worker_killed_once(self, path):
    if not Path(path).exists():
        Path(path).touch()
        os.killpg(0, signal.SIGKILL)  # the main process and all children
    return "survived"


@app.task
def killed():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
def wait(path):
    while not Path(path).exists():
        time.sleep(0.02)


@app.task(bind=True)
def replaced(self):
    return self.replace(add.s(2, 3))


@app.task
def ignored():
    raise Ignore


@app.task(acks_late=True)
def rejected():
    raise Reject("not mine", requeue=False)


def eagerly(signature):
    app.conf.task_always_eager = True
    try:
        return signature.apply_async().id
    finally:
        app.conf.task_always_eager = False
