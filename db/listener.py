"""A LISTEN connection that reports which organisations have new events.

Notifications are hints that may be lost; callers that must not miss events also poll. Behind a
transaction pooler, or at the address of another database, no notification is heard, and no error
says so: the listener finds out by sending some of its own, the way that writers send theirs.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any
from uuid import UUID, uuid4

import structlog

from db.connections import Pooler, connect
from db.notifier import CHANNEL

APPLICATION_NAME = "joblens listen"
BACKOFF_SECONDS = 0.1
BACKOFF_CAP_SECONDS = 10.0
# How long a notification of its own may take before it counts as not heard.
HEARING_SECONDS = 5.0
REMEDY = "set JOBLENS_LISTEN_URL to an address without a pooler"

log = structlog.get_logger("joblens.live")


class Listener:
    """Listens until it is stopped, and reconnects when the connection is lost.

    `on_notification(org_id)` is called for each notification, `on_connected()` each time it starts
    to listen, because earlier notifications may have been missed. `send(payloads)` sends some in
    the ledger's database; errors of it are ignored.

    `hears`: whether notifications are heard; None while that is not known.
    """

    def __init__(
        self,
        url: str,
        *,
        on_notification: Callable[[UUID], None],
        on_connected: Callable[[], None],
        send: Callable[[Sequence[str]], Awaitable[None]] | None = None,
        connect_timeout_seconds: float = 5.0,
        keep_alive_seconds: float = 15.0,
        hearing_seconds: float = HEARING_SECONDS,
    ) -> None:
        self._url = url
        self._on_notification = on_notification
        self._on_connected = on_connected
        self._send = send
        self._connect_timeout_seconds = connect_timeout_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._hearing_seconds = hearing_seconds
        self._task: asyncio.Task[None] | None = None
        self._probe = ""
        self._heard = asyncio.Event()
        # When the connection began to listen.
        self._since: float | None = None
        self.hears: bool | None = None

    def start(self) -> None:
        """Start to listen; no effect if it is running."""
        if self._task is None:
            # It outlives the request that needs it first.
            self._task = asyncio.create_task(self._run(), context=Context())

    async def stop(self) -> None:
        """Close the connection and wait until it is closed."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.hears = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            reason = await self._listen_once()
            since, self._since, self.hears = self._since, None, None
            if since is not None:
                log.warning("lost the listening connection", reason=reason)
                # Unless it was lost soon: then there is no reason to hurry.
                if loop.time() - since > BACKOFF_CAP_SECONDS:
                    failures = 0
            elif not failures:
                log.warning("cannot listen for notifications", reason=reason)
            await asyncio.sleep(wait_seconds(failures))
            failures += 1

    async def _listen_once(self) -> str | None:
        """Listen until the connection ends; return the name of its error."""
        try:
            connection = await self._connect()
            try:
                await self._listen(connection)
            finally:
                # Not close(), which waits for a server that may not respond.
                connection.terminate()
        except Exception as error:  # noqa: BLE001 - any error is retried
            return type(error).__name__
        return None

    async def _connect(self) -> Any:
        return await connect(
            self._url,
            APPLICATION_NAME,
            pooler=Pooler.SESSION,
            timeout_seconds=self._connect_timeout_seconds,
            command_timeout_seconds=self._connect_timeout_seconds,
        )

    async def _listen(self, connection: Any) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        await connection.add_listener(CHANNEL, self._notified)
        self._since = asyncio.get_running_loop().time()
        self._on_connected()
        while not ended.is_set():
            await self._test_hearing()
            try:
                async with asyncio.timeout(self._keep_alive_seconds):
                    await ended.wait()
            except TimeoutError:
                # Detects a server or network that fails without closing the connection.
                await connection.execute("SELECT")

    async def _test_hearing(self) -> None:
        """Send a notification, and find out whether it is heard."""
        if self._send is None:
            return
        self._heard.clear()
        self._probe = f"probe {uuid4()}"
        try:
            await self._send([self._probe])
        except Exception:  # noqa: BLE001 - the database is away, or on a standby: nothing is known
            return
        before = self.hears
        try:
            async with asyncio.timeout(self._hearing_seconds):
                await self._heard.wait()
            self.hears = True
        except TimeoutError:
            self.hears = False
        if before is not False and not self.hears:
            log.warning("notifications are not heard", remedy=REMEDY)
        elif before is False and self.hears:
            log.info("notifications are heard again")

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        if payload == self._probe:
            self._heard.set()
            return
        # Every login can NOTIFY: ignore payloads that are not an organisation's id.
        with suppress(ValueError):
            self._on_notification(UUID(payload))


def wait_seconds(failures: int) -> float:
    """Return how long to wait before connecting again."""
    # Jitter: all processes lose the database at the same time.
    wait: float = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2 ** min(failures, 20))
    return wait * random.uniform(0.5, 1)  # noqa: S311 - not a secret
