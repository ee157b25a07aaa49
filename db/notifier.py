"""Sends notifications after commits, by a connection of its own.

PostgreSQL holds a lock of the whole database server while a transaction that notifies commits, so
such commits happen one after another, however many processes write. A notification is only a hint:
readers poll, too.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog

from db.connections import connect

APPLICATION_NAME = "joblens notify"
CHANNEL = "joblens"
INTERVAL_SECONDS = 0.03
TIMEOUT_SECONDS = 5.0
# Its commit need not be on disk, so it does not wait for that.
_SEND = """
SELECT pg_notify($1, payload), set_config('synchronous_commit', 'off', true)
FROM unnest($2::text[]) AS payload
"""

log = structlog.get_logger("joblens.live")


class Notifier:
    """The notifications of one process. It connects when it first has one to send.

    The first is sent at once, those of the next `interval_seconds` together.
    """

    def __init__(
        self,
        url: str,
        *,
        interval_seconds: float = INTERVAL_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._url = url
        self._interval_seconds = interval_seconds
        self._timeout_seconds = timeout_seconds
        # In the order of their commits.
        self._pending: dict[UUID, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._connection: Any = None
        self._lock = asyncio.Lock()
        self._is_failing = False

    def add(self, org_id: UUID) -> None:
        """Tell listeners soon that the organisation has news. Does not wait."""
        self._pending[org_id] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def send(self, payloads: Sequence[str]) -> None:
        """Send notifications now. Raises asyncpg's errors, TimeoutError and OSError."""
        async with self._lock:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(
                        self._url,
                        APPLICATION_NAME,
                        timeout_seconds=self._timeout_seconds,
                        command_timeout_seconds=self._timeout_seconds,
                    )
                await self._connection.execute(_SEND, CHANNEL, payloads)
            except BaseException:
                self._drop()
                raise

    async def stop(self) -> None:
        """Send what is pending, and close the connection."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=self._timeout_seconds)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close(timeout=self._timeout_seconds)

    async def _run(self) -> None:
        try:
            while self._pending:
                await self._send_pending()
                await asyncio.sleep(self._interval_seconds)
        except asyncio.CancelledError:
            # The event loop ends, such as that of `asyncio.run`.
            await self._send_pending()
            raise

    async def _send_pending(self) -> None:
        org_ids, self._pending = self._pending, {}
        if not org_ids:
            return
        payloads = [str(org_id) for org_id in org_ids]
        for is_last in (False, True):
            # Twice: the connection may have been lost since its last use.
            try:
                await self.send(payloads)
            except Exception as error:  # noqa: BLE001 - whatever it is, readers poll
                if is_last and not self._is_failing:
                    self._is_failing = True
                    log.warning("cannot send notifications", reason=type(error).__name__)
            else:
                self._is_failing = False
                return

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
