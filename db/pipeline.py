"""Sends statements to PostgreSQL whose answers nothing waits for, on a connection of asyncpg.

A client may send on before it has an answer (PostgreSQL's documentation, "Pipelining" in the
chapter on the protocol). The driver has no API for that, so this writes such messages itself, and
keeps answers of its own from the driver.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from time import monotonic
from typing import Any

# The types of messages.
_PARSE, _BIND, _EXECUTE, _SYNC = b"P", b"B", b"E", b"S"
_ERROR, _READY = ord("E"), ord("Z")
# The server sends these at any time, and the driver takes them at any time.
_UNASKED = frozenset(b"NSA")
# How long a server takes at most, in seconds, to answer what takes it no time.
ANSWER_SECONDS = 5.0
# Of a message: its type, and the length of the rest, which counts itself.
_HEAD_BYTES = 5


class Pipeline(asyncio.Protocol):
    """Is between the transport of a connection and the driver's protocol.

    `used_at`: when the connection was last used, by `monotonic`.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._transport: Any = driver._transport  # noqa: SLF001 - the driver has no API for them
        self._protocol: Any = driver._protocol  # noqa: SLF001
        # How many ReadyForQuery messages end answers that are not the driver's.
        self._unread = 0
        self._partial = b""
        self._waiting: asyncio.Future[None] | None = None
        self.used_at = monotonic()

    @classmethod
    def attach(cls, driver: Any) -> "Pipeline":
        """Put a pipeline into an idle connection of the driver."""
        pipeline = cls(driver)
        pipeline._transport.set_protocol(pipeline)
        return pipeline

    def send_ahead(self, statements: Sequence[str]) -> None:
        """Send statements that run before what the driver sends next.

        That must be a statement of the extended protocol. If one of these fails, PostgreSQL skips
        all up to its end, and the driver gets the error.
        """
        self._write(b"".join(map(_execution, statements)))

    def end_ahead(self) -> None:
        """End what was sent ahead, as the driver has sent nothing after it."""
        self._send(_message(_SYNC))

    def send(self, statement: str) -> None:
        """Send a statement. Its answer is dropped; an error closes the connection."""
        self._send(_execution(statement) + _message(_SYNC))

    async def wait(self) -> None:
        """Wait for the answer of what was sent, if it has not come yet.

        Call it before the driver sends anything. PostgreSQL would not mind, but a pooler might: it
        gives the server's connection to another client after such an answer, even if the driver has
        sent the first half of a statement by then.
        """
        if not self._unread or self._driver.is_closed():
            return
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._waiting
        except TimeoutError:
            self._driver.terminate()
        finally:
            self._waiting = None

    def _answered(self) -> None:
        self._unread = 0
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _send(self, messages: bytes) -> None:
        self._unread += 1
        self._write(messages)

    def _write(self, messages: bytes) -> None:
        if self._transport.is_closing():
            # The driver may not know yet.
            self._driver.terminate()
        else:
            self._transport.write(messages)

    def data_received(self, data: bytes) -> None:
        """Pass on what the driver waits for."""
        if self._unread:
            data = self._without_unread(self._partial + data)
            if not data:
                return
        self._protocol.data_received(data)

    def _without_unread(self, data: bytes) -> bytes:
        """Drop the answers that nothing waits for; keep a message that is not complete yet."""
        passed, at = b"", 0
        while self._unread and len(data) >= at + _HEAD_BYTES:
            end = at + 1 + int.from_bytes(data[at + 1 : at + _HEAD_BYTES])
            if end > len(data):
                break
            if data[at] == _READY:
                self._unread -= 1
            elif data[at] == _ERROR:
                self._driver.terminate()
                return b""
            elif data[at] in _UNASKED:
                passed += data[at:end]
            at = end
        if self._unread:
            self._partial = data[at:]
            return passed
        self._partial = b""
        self._answered()
        return passed + data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the driver."""
        self._answered()
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the driver."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Tell the driver."""
        self._protocol.resume_writing()


@lru_cache(maxsize=1_000)
def _execution(statement: str) -> bytes:
    """Return the messages that run a statement without parameters."""
    # Without names of the statement and its portal, types, formats and a limit of rows.
    parse = _message(_PARSE, b"\0" + statement.encode() + b"\0\0\0")
    return parse + _message(_BIND, bytes(8)) + _message(_EXECUTE, bytes(5))


def _message(kind: bytes, content: bytes = b"") -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content
