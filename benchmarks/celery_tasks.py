"""The Celery app that `benchmarks.clients` runs, in the environment of the client's tests.

`python -m celery_tasks N` enqueues N tasks and prints the seconds that it took. The processes of a
worker write when their first run began, when their last one ended, and the processor time that
they took from their start until all was sent.
"""

import json
import os
import sys
import time
from pathlib import Path

import celery
from celery import signals

app = celery.Celery("bench", broker=f"redis+socket://{os.environ['REDIS_SOCKET']}")
app.conf.update(
    task_ignore_result=True,
    task_default_queue="bench",
    broker_connection_retry_on_startup=True,
)
seen: dict[str, float] = {}


@app.task(name="bench.nothing")
def nothing(_number: int) -> None:
    """Do no work, but for the time: what is measured is the cost of running a task."""
    now = time.monotonic()
    seen.setdefault("began", now)
    seen["ended"] = now


@signals.worker_process_init.connect
@signals.worker_ready.connect
def _started(**_: object) -> None:
    seen["cpu_before"] = time.process_time()


if url := os.environ.get("JOBLENS_URL"):
    from joblens_client import Recorder
    from joblens_client.celery import instrument

    instrument(app, Recorder(url, "a token", "bench", args=True, exit_seconds=60))


# Connected last, so that they run after the recorder's.
@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def _ended(**_: object) -> None:
    seen["cpu_after"] = time.process_time()
    (Path(os.environ["TIMES"]) / f"{os.getpid()}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    started = time.monotonic()
    for each in range(int(sys.argv[1])):
        nothing.delay(each)
    print(time.monotonic() - started)
