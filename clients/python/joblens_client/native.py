"""Threads and locks of the system, also where gevent or eventlet have replaced Python's.

A thread that they know would wait for a turn among the greenlets of the jobs; and a job that takes
the processor would keep its facts from being sent. `_queue.SimpleQueue` is left alone by both.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

_POLL_SECONDS = 0.005


class Lock(Protocol):
    """A lock of `_thread`."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *_: object) -> None: ...


def is_patched() -> bool:
    """Whether what waits by Python's means lets other greenlets run."""
    return _original("gevent") is not None or _original("eventlet") is not None


def start_thread(run: Callable[[], None]) -> None:
    """Run a function in a thread that does not keep the process from ending."""
    _threads().start_new_thread(run, ())


def new_lock() -> Lock:
    """Return a lock that threads of the system share."""
    lock: Lock = _threads().allocate_lock()
    return lock


def wait_for(lock: Lock, seconds: float) -> bool:
    """Acquire a lock in a job, while other greenlets run."""
    if not is_patched():
        return lock.acquire(timeout=seconds)
    until = time.monotonic() + seconds
    while not lock.acquire(blocking=False):
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _threads() -> Any:
    import _thread  # noqa: PLC0415 - the original one, if another has replaced it since

    return _original("gevent") or _original("eventlet") or _thread


def _original(library: str) -> Any:
    """Return the module `_thread` as it was; None if the library has not replaced it."""
    if library == "gevent" and (monkey := sys.modules.get("gevent.monkey")):
        return _GeventThreads(monkey) if monkey.is_module_patched("_thread") else None
    if library == "eventlet" and (patcher := sys.modules.get("eventlet.patcher")):
        return patcher.original("_thread") if patcher.is_monkey_patched("thread") else None
    return None


class _GeventThreads:
    def __init__(self, monkey: Any) -> None:
        self.start_new_thread = monkey.get_original("_thread", "start_new_thread")
        self.allocate_lock = monkey.get_original("_thread", "allocate_lock")
