"""Recorder: takes facts from jobs and producers of this process, and never gets in their way."""

import asyncio
import atexit
import logging
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ssl import SSLContext
from typing import Any

from joblens_client import spool as spools
from joblens_client.facts import Fact, Status, now
from joblens_client.failures import described
from joblens_client.native import new_lock, wait_for
from joblens_client.sender import Bounds, Sender
from joblens_client.stats import Stats
from joblens_client.transport import Target

Hide = Callable[[str, Mapping[str, Any]], Any]

_log = logging.getLogger("joblens_client")
_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


class Recorder:
    """Reports the jobs of one source to a Joblens.

    `url`: of Joblens, such as `https://joblens.example.com`. `source`: the name of what runs the
    jobs; all of its processes use the same. `kind`: what it is, such as `celery`; the module of a
    library knows it. `args`: whether arguments are sent as the job's payload; `hide` gets the type
    of a job and its `{"args": […], "kwargs": {…}}`, and returns what is sent instead. `results`:
    whether what a job returned is sent. `spool`: whether facts are kept in files until they have
    been sent, so that they outlive a killed process; `spool_dir`: where, None: in memory, if the
    system has a folder of it, or among temporary files. `start_seconds`: without a spool, how long
    a job waits at most until its start is recorded; 0: not at all. `max_facts`, `max_bytes`,
    `max_seconds`: how much is kept while Joblens can't be reached, and for how long.
    `exit_seconds`: how long the process waits at its end for what has not been sent.
    `timeout_seconds`: of one request.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        source: str = "default",
        *,
        kind: str | None = None,
        args: bool = False,
        hide: Hide | None = None,
        results: bool = True,
        spool: bool = True,
        spool_dir: str | None = None,
        start_seconds: float = 1.0,
        max_facts: int = 10_000,
        max_bytes: int = 32_000_000,
        max_seconds: float = 600.0,
        exit_seconds: float = 5.0,
        timeout_seconds: float = 10.0,
        ssl: SSLContext | None = None,
    ) -> None:
        self.kind = kind
        self._to = (url, token, source)
        self._args, self._hide, self._results = args or hide is not None, hide, results
        self._has_spool, self._spool_dir = spool, spool_dir
        self._start_seconds, self._exit_seconds = start_seconds, exit_seconds
        self._bounds = Bounds(max_facts, max_bytes, max_seconds)
        self._timeout_seconds, self._ssl = timeout_seconds, ssl
        self._target()  # a bad address fails the start of the process
        self._begin()
        _recorders.add(self)
        atexit.register(_flush, weakref.ref(self))

    @property
    def stats(self) -> Stats:
        """What became of the facts that this process recorded."""
        sender = self._sender
        stats = Stats() if sender is None else sender.stats
        return Stats(stats.sent, stats.dropped, stats.rejected, self._faulty, stats.waiting)

    def record(self, fact: Fact, *, wait: bool = False) -> None:
        """Record a fact. `wait`: until it is safe: until Joblens has it, if there is no spool.

        It waits for at most `start_seconds`, and not while Joblens can't be reached. It raises
        nothing: what can't be recorded is counted and logged.
        """
        if not wait or self._start_seconds <= 0:
            self._put(fact)
            return
        done = new_lock()
        done.acquire()
        sender = self._put(fact, done.release, wait=True)
        if sender is not None and not wait_for(done, self._start_seconds):
            sender.is_well = False

    async def record_async(self, fact: Fact, *, wait: bool = False) -> None:
        """Record a fact, as `record` does, while the event loop goes on."""
        if not wait or self._start_seconds <= 0:
            self._put(fact)
            return
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        sender = self._put(fact, lambda: _set_soon(loop, done), wait=True)
        if sender is None:
            return
        try:
            await asyncio.wait_for(done.wait(), self._start_seconds)
        except asyncio.TimeoutError:
            sender.is_well = False

    def record_failure(
        self,
        external_id: str,
        error: BaseException | None,
        then: Status,
        *,
        ts: datetime | None = None,
        scheduled_at: datetime | None = None,
        **described_: Any,
    ) -> None:
        """Record that a run failed, and what comes `then`: QUEUED for a retry, or DEAD_LETTER.

        `ts`: when it failed, if that was noted before another run could start; None: now.
        """
        ts = ts or now()
        values = {**(described(error) if error is not None else {}), **described_}
        self.record(Fact(external_id, Status.FAILED, ts, **values))
        self.record(Fact(external_id, then, ts, scheduled_at=scheduled_at))

    def payload(self, type_: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return what is sent of a job's arguments: None unless that is wanted."""
        if not self._args:
            return None
        given = {"args": list(args), "kwargs": dict(kwargs)}
        if self._hide is None:
            return given
        try:
            return self._hide(type_, given)
        except Exception:  # noqa: BLE001 - it is the application's
            self._fault("hide failed; the arguments are left out")
            return None

    def result(self, value: Any) -> Any:
        """Return what is sent of what a job returned: None unless that is wanted."""
        return value if self._results else None

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until all that was recorded has been sent or given up; return whether it was.

        Worker processes that end by `os._exit` must call it. `seconds`: at most; None:
        `exit_seconds`.
        """
        sender = self._sender
        if sender is None or not sender.stats.waiting:
            return True
        done = new_lock()
        done.acquire()
        sender.call_when_sent(done.release)
        return wait_for(done, self._exit_seconds if seconds is None else seconds)

    def _target(self) -> Target:
        url, token, source = self._to
        return Target(url, token, source, self.kind or "python", self._timeout_seconds, self._ssl)

    def _opened_spool(self) -> spools.Spool | None:
        return spools.opened(self._spool_dir, *self._to) if self._has_spool else None

    def _begin(self) -> None:
        """Forget threads and locks, of which a fork copies none or any state."""
        self._lock = new_lock()
        self._sender: Sender | None = None
        self._faulty = 0
        self._is_logged = False

    def _put(
        self, fact: Fact, done: Callable[[], None] | None = None, *, wait: bool = False
    ) -> Sender | None:
        """Add a fact; return the sender if it is worth waiting for it."""
        try:
            text = fact.encoded()
            sender = self._running()
        except Exception:  # noqa: BLE001 - a job must not fail because of its record
            self._fault("A fact could not be recorded")
            return None
        is_worth = wait and sender.is_well and not sender.is_spooled
        is_added = sender.put(text, done if is_worth else None)
        return sender if is_worth and is_added else None

    def _running(self) -> Sender:
        if (sender := self._sender) is None:
            with self._lock:
                if (sender := self._sender) is None:
                    sender = Sender(self._target(), self._bounds, self._opened_spool())
                    sender.start()
                    self._sender = sender
        return sender

    def _fault(self, message: str) -> None:
        """Count an error, and log the first one."""
        self._faulty += 1
        if not self._is_logged:
            self._is_logged = True
            _log.warning(message, exc_info=True)


def _set_soon(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    loop.call_soon_threadsafe(done.set)


def _flush(reference: "weakref.ref[Recorder]") -> None:
    recorder = reference()
    if recorder is not None:
        recorder.flush()


def _start_over() -> None:
    spools.start_over()
    for recorder in list(_recorders):
        if recorder._sender is not None:  # noqa: SLF001 - of the same module
            recorder._sender.abandon()  # noqa: SLF001
        recorder._begin()  # noqa: SLF001 - of the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)
