"""Responses as Server-Sent Events: the protocol of graphql-sse, one connection an operation."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import structlog
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from resolvers.errors import JoblensError
from schema.execution import Response
from server.operations import Stream
from server.responses import dumps, dumps_shared, refusal

EVENT_STREAM = "text/event-stream"
# How long one event may wait for a client that does not read, and the last one at the end.
STALLED_SECONDS = 60
ENDING_SECONDS = 2

_HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-cache",
    # Proxies of nginx's kind would gather events before they pass them on.
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
        ping_seconds: float | None,
    ) -> None:
        super().__init__(headers=_HEADERS)
        # There is no length to tell of a stream.
        del self.headers["content-length"]
        self._responses = responses
        self._ending = ending
        self._ping_seconds = ping_seconds

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
        try:
            await asyncio.wait({pump, gone, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                # The end of the process leaves the pump its time to say so.
                await asyncio.wait(
                    {pump, gone}, timeout=ENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            tasks = (pump, gone, ending)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._responses.aclose()
        if not pump.cancelled():
            pump.result()

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async with aclosing(self._events()) as events:
                async for event in events:
                    async with asyncio.timeout(STALLED_SECONDS):
                        await send({"type": "http.response.body", "body": event, "more_body": True})
        except OSError:
            log.info("a client stopped reading its events")
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _events(self) -> AsyncGenerator[bytes, None]:
        # At once, so that the client knows that it is heard.
        yield _PING
        ending = asyncio.ensure_future(self._ending.wait())
        following: asyncio.Future[Response | None] | None = None
        try:
            while not ending.done():
                following = following or asyncio.ensure_future(self._following())
                either: set[asyncio.Future[Any]] = {following, ending}
                await asyncio.wait(
                    either, timeout=self._ping_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if not following.done():
                    yield _PING
                elif (response := following.result()) is None:
                    break
                else:
                    following = None
                    yield _next(response)
        finally:
            await self._close(ending, following)
        yield _COMPLETE

    async def _following(self) -> Response | None:
        """Get the next response, None after the last."""
        return await anext(self._responses, None)

    async def _close(self, *waiting: "asyncio.Future[Any] | None") -> None:
        pending = [future for future in waiting if future is not None]
        for future in pending:
            future.cancel()
        await asyncio.wait(pending)
        await self._responses.aclose()


def _next(response: Response) -> bytes:
    try:
        body = dumps_shared(response)
    except JoblensError as error:
        body = dumps(refusal(error).body())
    # JSON as we write it has no line breaks: one line of data is enough.
    return b"event: next\ndata: " + body + b"\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
