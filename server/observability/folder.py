"""The folder by which several server processes share their metrics, made by the first of them."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

# prometheus_client's own variable.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_folder(*, is_needed: bool) -> Iterator[Mapping[str, str]]:
    """Make a folder that only this user can read; yield the variables that name it."""
    if not is_needed:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="joblens-metrics-") as folder:
        yield {FOLDER: folder}


def forget_process(pid: int) -> None:
    """Remove the gauges of a process that has ended. Its counters stay in the sums."""
    folder = os.environ.get(FOLDER)
    if folder:
        import_module("prometheus_client.multiprocess").mark_process_dead(pid, folder)
