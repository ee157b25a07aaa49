"""Responses as Server-Sent Events: the protocol of graphql-sse, one connection an operation."""

import asyncio
from collections.abc import Callable

import structlog
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from resolvers.errors import JoblensError
from schema.execution.run import Response
from server.http.responses import dumps, gather, refusal, written
from server.operations import Stream

EVENT_STREAM = "text/event-stream"
# How long one write may wait for a client that does not read, and the last one at the end.
STALLED_SECONDS = 60
ENDING_SECONDS = 2

_HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    # Proxies that compress would gather events before they pass them on, and so would nginx.
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_PING = b":\n\n"
# Browsers drop events without data.
_COMPLETE = b"event: complete\ndata:\n\n"

log = structlog.get_logger("joblens.sse")


class EventStream(HttpResponse):
    """Sends responses as they come, until their end, the client's, or the process's (`ending`)."""

    def __init__(
        self,
        responses: Stream,
        ending: asyncio.Event,
        ping_seconds: float = STALLED_SECONDS,
        leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(headers=_HEADERS)
        # There is no length to tell of a stream.
        del self.headers["content-length"]
        self._responses = responses
        self._ending = ending
        self._ping_seconds = ping_seconds
        self._leave = leave
        # Since the last look: whether nothing was sent. And since when the client holds up a send.
        self._is_silent = True
        self._sending_since: float | None = None

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - ASGI hands it on
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer as an ASGI application."""
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        ending = asyncio.create_task(self._ending.wait())
        watch = asyncio.create_task(self._watch(send))
        try:
            await asyncio.wait({pump, gone, ending, watch}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done() and not gone.done() and not pump.done():
                # The process ends: the subscription completes, and the pump says so.
                await self._responses.aclose()
                await asyncio.wait(
                    {pump, gone}, timeout=ENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            tasks = (pump, gone, ending, watch)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._responses.aclose()
            if self._leave is not None:
                self._leave()
        # OSError: the client has gone.
        if not pump.cancelled() and not isinstance(pump.exception(), OSError):
            pump.result()

    async def _watch(self, send: Send) -> None:
        """Break silences, until the client has stalled."""
        clock = asyncio.get_running_loop().time
        while self._sending_since is None or clock() - self._sending_since < STALLED_SECONDS:
            self._is_silent = True
            await asyncio.sleep(min(self._ping_seconds, STALLED_SECONDS))
            if self._is_silent and self._sending_since is None:
                await self._send(send, _PING)
        log.info("a client stopped reading its events")

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        # At once, so that the client knows that it is heard.
        await self._send(send, _PING)
        async for responses in self._responses:
            for events in gather(_next(response) for response in responses):
                await self._send(send, b"".join(events))
        await self._send(send, _COMPLETE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, text: bytes) -> None:
        self._is_silent, self._sending_since = False, asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": text, "more_body": True})
        self._sending_since = None


def _next(response: Response) -> bytes:
    try:
        body = written(response)
    except JoblensError as error:
        body = dumps(refusal(error).body())
    # JSON as we write it has no line breaks: one line of data is enough.
    return b"event: next\ndata: " + body + b"\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
