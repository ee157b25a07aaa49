"""The process's one ear: a connection of its own that hears which organisations have news.

It reads nothing of the ledger. What is heard is only a hint; who must miss nothing also polls.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from db.commands.notifications import CHANNEL

APPLICATION_NAME = "joblens listen"
BACKOFF_SECONDS = 0.1
BACKOFF_CAP_SECONDS = 10.0

log = structlog.get_logger("joblens.live")


class Listener:
    """Listens until it is stopped, on a new connection whenever the old one has died.

    `news(org_id)` is called for each notification; `reconnected()` each time it begins to listen,
    the first time too: what was told before, nobody heard, so everything must be looked through.
    """

    def __init__(
        self,
        url: str,
        *,
        news: Callable[[UUID], None],
        reconnected: Callable[[], None],
        connect_timeout_seconds: float = 5.0,
        keep_alive_seconds: float = 15.0,
    ) -> None:
        self._url = url
        self._news = news
        self._reconnected = reconnected
        self._connect_timeout_seconds = connect_timeout_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen; once begun, do nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Hang up, and wait until that is done."""
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
            except Exception as error:  # noqa: BLE001 - whatever it is, it must be tried again
                if not failures:
                    log.warning("cannot listen for news", reason=type(error).__name__)
                # Jitter: many processes lose the same database at the same moment.
                wait = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2 ** min(failures, 20))
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - no secret
                failures += 1
                continue
            try:
                failures = 0
                await self._listen(connection)
                log.warning("lost the connection that listens for news")
            except Exception as error:  # noqa: BLE001 - as above
                log.warning(
                    "lost the connection that listens for news", reason=type(error).__name__
                )
                # One that connects but cannot listen must not spin.
                await asyncio.sleep(BACKOFF_SECONDS)
            finally:
                # Not close(): it waits for a server that may never answer.
                connection.terminate()

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self._url,
            timeout=self._connect_timeout_seconds,
            command_timeout=self._connect_timeout_seconds,
            server_settings={"application_name": APPLICATION_NAME},
        )

    async def _listen(self, connection: Any) -> None:
        """Hear news until the connection ends; raise what its keep-alive query meets."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        await connection.add_listener(CHANNEL, self._hear)
        self._reconnected()
        while not ended.is_set():
            try:
                async with asyncio.timeout(self._keep_alive_seconds):
                    await ended.wait()
            except TimeoutError:
                # A server or network that died silently says nothing, ever: it must be asked.
                await connection.execute("SELECT")

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        # Anybody who may connect may notify: what is no organisation is no news.
        with suppress(ValueError):
            self._news(UUID(payload))
