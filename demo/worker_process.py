"""The worker of the demo's queue, as a process of its own that ends with this one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from demo import procrastinate_worker

NEEDED = ("procrastinate", "psycopg")
# What the worker prints once the queue has its tables.
READY = "ready\n"
# More than the worker waits for jobs that run.
END_SECONDS = procrastinate_worker.SHUTDOWN_SECONDS + 4.0


class WorkerError(Exception):
    """The worker could not start; it has told why."""


def missing_packages() -> list[str]:
    """Name the packages that the worker needs and that are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


@contextmanager
def queue_worker(url: str) -> Iterator[None]:
    """Run a worker and its jobs in the database at `url` while the body runs.

    The queue has its tables when the body begins. Raises WorkerError.
    """
    process = subprocess.Popen(  # noqa: S603 - no input
        # Not from the working directory, which may have packages with these names.
        [sys.executable, "-P", "-m", procrastinate_worker.__name__, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C on the terminal must not end it before its jobs are put back.
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != READY:
            raise WorkerError
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    # The worker ends when its input does, so also if this process is killed.
    process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        process.stdout.close()
