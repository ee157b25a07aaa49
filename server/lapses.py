"""A stream of events that ends when what it was opened with holds no more."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.auth.connections import Connections
from server.auth.credentials import Credential, LapsedError
from server.operations import Stream


class Lapsing(Response):
    """Sends `stream`, and lets its responses end with an error once the credential lapses."""

    def __init__(
        self,
        stream: Response,
        responses: Stream,
        connections: Connections,
        credential: Credential,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._responses = responses
        self._connections = connections
        self._credential = credential
        self._ending: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        leave = self._connections.watch(self._credential, self._lapse)
        try:
            await self._stream(scope, receive, send)
        finally:
            leave()

    def _lapse(self) -> None:
        self._ending = asyncio.create_task(self._responses.refuse(LapsedError()))
