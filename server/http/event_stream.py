"""Responses as Server-Sent Events: graphql-sse's protocol, with one connection per operation."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Self

import structlog
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from resolvers.errors import JoblensError
from schema.execution.models import Response
from server.auth.credentials import RevokedError
from server.logging import audit
from server.response_encoding import batched, dumps, encoded, refusal

EVENT_STREAM = "text/event-stream"
# How long one write may wait for a client that does not read, and the last one at the end.
STALLED_SECONDS = 60
ENDING_SECONDS = 2

_HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    # Proxies that compress, and nginx, would buffer events.
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_PING = b":\n\n"
# Browsers drop events without data.
_COMPLETE = b"event: complete\ndata:\n\n"

log = structlog.get_logger("joblens.sse")


class EventStream(HttpResponse):
    """Sends an operation's responses as they come.

    It ends with the responses, when the client disconnects or stalls, when `ending` is set (the
    process ends), or when `revoked` is set (the client's credential is no longer valid). `held`:
    what it releases at its end.
    """

    def __init__(
        self,
        responses: AsyncGenerator[list[Response], None],
        ping_seconds: float = STALLED_SECONDS,
        *,
        ending: asyncio.Event | None = None,
        revoked: asyncio.Event | None = None,
        held: ExitStack | None = None,
    ) -> None:
        super().__init__(headers=_HEADERS)
        # A stream has no length.
        del self.headers["content-length"]
        self._responses = responses
        self._ping_seconds = ping_seconds
        self._ending = ending or asyncio.Event()
        self._revoked = revoked or asyncio.Event()
        self._held = held or ExitStack()
        self._started = asyncio.Event()
        # Whether nothing was sent since the last ping, and since when a send waits for the client.
        self._is_silent = True
        self._sending_since: float | None = None

    @classmethod
    def of(cls, response: Response) -> Self:
        """Make a stream of one response."""

        async def one() -> AsyncGenerator[list[Response], None]:
            yield [response]

        return cls(one())

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - ASGI passes it
        receive: Receive,
        send: Send,
    ) -> None:
        """Respond as an ASGI application."""
        sending = asyncio.create_task(self._send_all(send))
        disconnected = asyncio.create_task(_disconnected(receive))
        ending = asyncio.create_task(self._ending.wait())
        revoked = asyncio.create_task(self._revoked.wait())
        stalled = asyncio.create_task(self._ping_until_stalled(send))
        tasks = (sending, disconnected, ending, revoked, stalled)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ended_by_server = ending.done() or revoked.done()
            is_open = self._started.is_set() and not sending.done() and not disconnected.done()
            if ended_by_server and is_open:
                await self._end(send, sending, disconnected)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._held.close()
        # OSError: the client has disconnected.
        if not sending.cancelled() and not isinstance(sending.exception(), OSError):
            sending.result()

    async def _end(
        self, send: Send, sending: "asyncio.Task[None]", disconnected: "asyncio.Task[None]"
    ) -> None:
        """End the operation, and complete the stream unless the client is too slow for that."""
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        last = asyncio.create_task(self._send_last(send))
        await asyncio.wait(
            {last, disconnected}, timeout=ENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)

    async def _send_last(self, send: Send) -> None:
        if self._revoked.is_set():
            error = RevokedError()
            audit.log_refusal(error.code)
            await self._send(send, _next(refusal(error)))
        await self._complete(send)

    async def _ping_until_stalled(self, send: Send) -> None:
        """Ping while nothing else is sent, until one send has waited too long for the client."""
        await self._started.wait()
        clock = asyncio.get_running_loop().time
        while self._sending_since is None or clock() - self._sending_since < STALLED_SECONDS:
            self._is_silent = True
            await asyncio.sleep(min(self._ping_seconds, STALLED_SECONDS))
            if self._is_silent and self._sending_since is None:
                await self._send(send, _PING)
        log.info("a client stopped reading its events")

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._responses) as responses:
            first = await anext(responses)
            # It has started: from here on a subscription's client misses no event.
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send(send, _PING)
            self._started.set()
            await self._send_events(send, first)
            async for ready in responses:
                await self._send_events(send, ready)
        await self._complete(send)

    async def _send_events(self, send: Send, responses: list[Response]) -> None:
        for events in batched(map(_next, responses)):
            await self._send(send, b"".join(events))

    async def _complete(self, send: Send) -> None:
        await self._send(send, _COMPLETE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, text: bytes) -> None:
        self._is_silent, self._sending_since = False, asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": text, "more_body": True})
        self._sending_since = None


def _next(response: Response) -> bytes:
    try:
        body = encoded(response)
    except JoblensError as error:
        body = dumps(refusal(error).body())
    # This JSON has no line breaks: one line of data is enough.
    return b"event: next\ndata: " + body + b"\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
