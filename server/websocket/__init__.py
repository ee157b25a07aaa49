"""/graphql over WebSocket, with the subprotocol graphql-transport-ws."""

from server.websocket.endpoint import WebSocketEndpoint

__all__ = ["WebSocketEndpoint"]
