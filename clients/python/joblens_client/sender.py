"""Sender: the thread of one process that sends facts in batches, and tries again."""

import logging
import random
import time
from _queue import Empty, SimpleQueue  # gevent and eventlet replace the one of `queue`
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from joblens_client.native import new_lock, start_thread
from joblens_client.spool import Page, Spool
from joblens_client.stats import Stats
from joblens_client.transport import Connection, RefusedError, Target, UnavailableError

MAX_BATCH = 500
_MAX_BATCH_BYTES = 500_000
_LINGER_SECONDS = 0.1
_ADOPT_SECONDS = 5.0
_FIRST_BACKOFF = 0.1
_MAX_BACKOFF = 5.0

_log = logging.getLogger("joblens_client")


@dataclass(frozen=True)
class Bounds:
    """How much waits to be sent, and for how long."""

    facts: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Entry:
    """A fact as JSON, or none, which only waits until all before it has been sent.

    `done` is called when it has been sent, was given up, or Joblens can't be reached.
    """

    text: str
    at: float
    done: Callable[[], None] | None = None
    page: Page | None = None


class Sender:
    """The facts of one process on their way to Joblens."""

    def __init__(self, target: Target, bounds: Bounds, spool: Spool | None = None) -> None:
        self._target, self._bounds, self._spool = target, bounds, spool
        self._connection = Connection(target)
        self._queue: SimpleQueue[Entry] = SimpleQueue()
        self._lock = new_lock()
        self._wake = new_lock()
        self._counts = dict.fromkeys(("sent", "dropped", "rejected", "waiting"), 0)
        self._size = 0
        self._sent_at = self._adopted_at = 0.0
        self._logged: set[str] = set()
        self.is_well = True
        """Whether it is worth waiting: the last facts were sent, in time."""

    def start(self) -> None:
        """Start the thread."""
        start_thread(self._run)

    @property
    def stats(self) -> Stats:
        """What became of the facts so far."""
        with self._lock:
            return Stats(**self._counts)

    @property
    def is_spooled(self) -> bool:
        """Whether a fact outlives this process as soon as it was put."""
        return self._spool is not None

    def put(self, text: str, done: Callable[[], None] | None = None, *, age: float = 0) -> bool:
        """Add a fact, unless too many wait; return whether it was added."""
        at = time.monotonic() - age
        with self._lock:
            waiting, bounds = self._counts["waiting"], self._bounds
            is_full = waiting >= bounds.facts or self._size + len(text) > bounds.size
            self._counts["dropped" if is_full else "waiting"] += 1
            if not is_full:
                self._size += len(text)
                # In the order of the spool, and before its page can be forgotten.
                self._queue.put(Entry(text, at, done, self._spooled(text)))
        if is_full:
            self._tell_once(
                "full", "Too many facts wait for %s; more are dropped.", self._target.url
            )
        elif done is not None or waiting == MAX_BATCH:
            self._hurry()
        return not is_full

    def _spooled(self, text: str) -> Page | None:
        if self._spool is None:
            return None
        try:
            return self._spool.add(text)
        except OSError as error:
            self._spool = None  # from now on, starts are waited for
            self._tell_once("spool", "Facts can't be kept in files: %s", error)
            return None

    def abandon(self) -> None:
        """Leave its files, in a forked process, to the one that made them."""
        if self._spool is not None:
            self._spool.close()

    def call_when_sent(self, done: Callable[[], None]) -> None:
        """Call a function once all that was put before has been sent or given up."""
        self._queue.put(Entry("", time.monotonic(), done))
        self._hurry()

    def _hurry(self) -> None:
        with suppress(RuntimeError):
            self._wake.release()

    def _run(self) -> None:
        self._wake.acquire()
        while True:
            entries = self._collect()
            try:
                self._deliver(entries)
            except Exception:  # noqa: BLE001 - the thread must go on
                # A defect of this module: these are lost, those to come are not.
                _log.exception("Facts were lost")
                self._end(entries, "dropped")

    def _collect(self) -> list[Entry]:
        """Take what waits. Unless a job waits for it, requests keep a distance in time.

        The thread sleeps meanwhile: each time it wakes up, it takes turns with the jobs.
        """
        entries = [self._first()]
        pause = self._sent_at + _LINGER_SECONDS - time.monotonic()
        if pause > 0 and entries[0].done is None and self._counts["waiting"] < MAX_BATCH:
            self._wake.acquire(timeout=pause)
        size = len(entries[0].text)
        with suppress(Empty):
            while len(entries) < MAX_BATCH and size < _MAX_BATCH_BYTES:
                entries.append(self._queue.get_nowait())
                size += len(entries[-1].text)
        return entries

    def _first(self) -> Entry:
        while True:
            if time.monotonic() >= self._adopted_at + _ADOPT_SECONDS:
                self._adopt()
            with suppress(Empty):
                return self._queue.get(timeout=_ADOPT_SECONDS)

    def _adopt(self) -> None:
        """Take over what processes that were killed have left."""
        self._adopted_at = time.monotonic()
        spool = self._spool
        if spool is None:
            return
        try:
            for texts, age in spool.left():
                if age > self._bounds.seconds:
                    self._count(dropped=len(texts))
                elif self._has_room(texts):
                    for text in texts:
                        self.put(text, age=age)
                else:
                    return  # it stays for later
        except OSError as error:
            self._tell_once("spool", "Facts of other processes can't be read: %s", error)

    def _has_room(self, texts: Sequence[str]) -> bool:
        with self._lock:
            size = self._size + sum(map(len, texts))
            facts = self._counts["waiting"] + len(texts)
        return facts <= self._bounds.facts and size <= self._bounds.size

    def _deliver(self, entries: list[Entry]) -> None:
        backoff = _FIRST_BACKOFF
        while entries := self._young(entries):
            texts = [entry.text for entry in entries if entry.text]
            if not texts:
                self._end(entries)
                return
            try:
                self._send(texts)
            except UnavailableError as error:
                self._suffer(entries, error)
                jitter = random.uniform(0.5, 1)  # noqa: S311 - so that processes differ
                self._wake.acquire(timeout=max(error.retry_after, backoff * jitter))
                backoff = min(backoff * 2, _MAX_BACKOFF)
                continue
            self._sent_at = time.monotonic()
            self._recover()
            self._end(entries)
            return

    def _young(self, entries: list[Entry]) -> list[Entry]:
        """Give up what has waited for too long, or only waited."""
        oldest = time.monotonic() - self._bounds.seconds
        old = [entry for entry in entries if entry.text and entry.at < oldest]
        if old:
            self._tell_once(
                "old", "Facts that waited for %s for too long are dropped.", self._target.url
            )
            self._end(old, "dropped")
        return [entry for entry in entries if entry not in old] if old else entries

    def _send(self, texts: Sequence[str]) -> None:
        try:
            refusals = self._connection.send(texts)
        except RefusedError as error:
            if len(texts) == 1:
                self._reject([str(error)])
                return
            middle = len(texts) // 2
            self._send(texts[:middle])
            self._send(texts[middle:])
            return
        self._count(sent=len(texts) - len(refusals))
        self._reject(refusals)

    def _reject(self, messages: Sequence[str]) -> None:
        if messages:
            self._count(rejected=len(messages))
            self._tell_once("refused", "%s refused a fact: %s", self._target.url, messages[0])

    def _suffer(self, entries: Sequence[Entry], error: UnavailableError) -> None:
        self.is_well = False
        self._tell_once("down", "%s can't take facts: %s", self._target.url, error)
        for entry in entries:
            _call(entry.done if entry.text else None)

    def _recover(self) -> None:
        self.is_well = True
        if "down" in self._logged:
            self._logged -= {"down", "old", "full"}
            _log.warning(
                "%s takes facts again; %d were dropped.", self._target.url, self.stats.dropped
            )

    def _end(self, entries: Sequence[Entry], counted: str | None = None) -> None:
        facts = [entry for entry in entries if entry.text]
        size = sum(len(entry.text) for entry in facts)
        with self._lock:
            self._counts["waiting"] -= len(facts)
            self._size -= size
            if counted:
                self._counts[counted] += len(facts)
            self._forget(facts)
        for entry in entries:
            _call(entry.done)

    def _forget(self, facts: Sequence[Entry]) -> None:
        """Take facts out of the spool."""
        try:
            for entry in facts:
                if entry.page is not None and self._spool is not None:
                    self._spool.sent(entry.page)
        except OSError as error:
            self._tell_once("spool", "Facts can't be removed from files: %s", error)

    def _count(self, **added: int) -> None:
        with self._lock:
            for name, number in added.items():
                self._counts[name] += number

    def _tell_once(self, what: str, message: str, *values: object) -> None:
        if what not in self._logged:
            self._logged.add(what)
            _log.warning(message, *values)


def _call(done: Callable[[], None] | None) -> None:
    if done is not None:
        # A lock that was released already, or an event loop that has been closed.
        with suppress(RuntimeError):
            done()
