"""/graphql over WebSocket, in graphql-transport-ws."""

from server.websocket.endpoint import WebSocketEndpoint

__all__ = ["WebSocketEndpoint"]
