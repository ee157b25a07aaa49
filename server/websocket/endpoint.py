"""The handshake: who may open a WebSocket at all, before anything is said on it."""

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from resolvers.errors import JoblensError
from server.app_state import AppState
from server.http.origins import check_origin
from server.http.responses import write_error
from server.limits.admission import stranger
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
            # Browsers let any page open any WebSocket.
            check_origin(socket.headers, state.settings.cors_origins)
            place = state.gate.connections.take(stranger(scope.get("client")))
        except JoblensError as error:
            audit.limits(error.code)
            # Before it is accepted: the browser gets a 403.
            await socket.send_denial_response(write_error(error))
            return
        spoken = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await socket.accept(spoken)
        channel = Channel(socket, send if SEND_MANY in scope.get("extensions", {}) else None)
        connection = WebSocketSession(channel, socket.headers, state, place)
        await connection.serve(spoken=spoken is not None)
