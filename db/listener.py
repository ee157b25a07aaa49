"""A LISTEN connection that reports which organisations have new events.

Notifications are hints that may be lost; callers that must not miss events also poll.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any
from uuid import UUID

import structlog

from db.commands.notifications import CHANNEL
from db.connections import connect

APPLICATION_NAME = "joblens listen"
BACKOFF_SECONDS = 0.1
BACKOFF_CAP_SECONDS = 10.0

log = structlog.get_logger("joblens.live")


class Listener:
    """Listens until it is stopped, and reconnects when the connection is lost.

    `on_notification(org_id)` is called for each notification, `on_connected()` each time it starts
    to listen, because earlier notifications may have been missed.
    """

    def __init__(
        self,
        url: str,
        *,
        on_notification: Callable[[UUID], None],
        on_connected: Callable[[], None],
        connect_timeout_seconds: float = 5.0,
        keep_alive_seconds: float = 15.0,
    ) -> None:
        self._url = url
        self._on_notification = on_notification
        self._on_connected = on_connected
        self._connect_timeout_seconds = connect_timeout_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._task: asyncio.Task[None] | None = None

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

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                connection = await self._connect()
            except Exception as error:  # noqa: BLE001 - any error is retried
                if not failures:
                    log.warning("cannot listen for notifications", reason=type(error).__name__)
                # Jitter: all processes lose the database at the same time.
                wait = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2 ** min(failures, 20))
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - not a secret
                failures += 1
                continue
            try:
                failures = 0
                await self._listen(connection)
                log.warning("lost the listening connection")
            except Exception as error:  # noqa: BLE001 - as above
                log.warning("lost the listening connection", reason=type(error).__name__)
                # Avoids a busy loop if connecting succeeds but listening fails.
                await asyncio.sleep(BACKOFF_SECONDS)
            finally:
                # Not close(), which waits for a server that may not respond.
                connection.terminate()

    async def _connect(self) -> Any:
        return await connect(
            self._url,
            APPLICATION_NAME,
            timeout_seconds=self._connect_timeout_seconds,
            command_timeout_seconds=self._connect_timeout_seconds,
        )

    async def _listen(self, connection: Any) -> None:
        """Listen until the connection ends; raise the errors of the keep-alive query."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        await connection.add_listener(CHANNEL, self._notified)
        self._on_connected()
        while not ended.is_set():
            try:
                async with asyncio.timeout(self._keep_alive_seconds):
                    await ended.wait()
            except TimeoutError:
                # Detects a server or network that fails without closing the connection.
                await connection.execute("SELECT")

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        # Every login can NOTIFY: ignore payloads that are not an organisation's id.
        with suppress(ValueError):
            self._on_notification(UUID(payload))
