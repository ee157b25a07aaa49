"""The WebSocket handshake: check the origin and the number of connections."""

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from resolvers.errors import JoblensError
from server.app_state import AppState
from server.http.origins import check_origin
from server.http.responses import write_error
from server.limits.admission import anonymous_key
from server.logging import audit
from server.uvicorn.websocket_protocol import SEND_MANY
from server.websocket.channel import Channel
from server.websocket.connection import WebSocketSession
from server.websocket.messages import SUBPROTOCOL


class WebSocketEndpoint:
    """The ASGI application that serves one connection until either side ends it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a connection, and serve it."""
        socket = WebSocket(scope, receive, send)
        state: AppState = socket.app.state.joblens
        try:
            # Browsers let pages of any origin open any WebSocket.
            check_origin(socket.headers, state.settings.cors_origins)
            slot = state.admission.connections.acquire(anonymous_key(scope.get("client")))
        except JoblensError as error:
            audit.log_limits(error.code)
            # Before it is accepted: the browser reports a failed handshake.
            await socket.send_denial_response(write_error(error))
            return
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await socket.accept(subprotocol)
        channel = Channel(socket, send if SEND_MANY in scope.get("extensions", {}) else None)
        session = WebSocketSession(channel, socket.headers, state, slot)
        await session.serve(is_supported=subprotocol is not None)
