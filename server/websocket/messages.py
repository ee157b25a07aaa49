"""The messages and close codes of graphql-transport-ws.

Messages are parsed strictly: an invalid one closes the connection. Invalid values in an operation
only fail that operation.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.types import Message as AsgiMessage

from resolvers.errors import JoblensError
from schema.execution.models import Response
from server.http.requests import parse
from server.response_encoding import dumps, encoded

SUBPROTOCOL = "graphql-transport-ws"
# Each message about an operation repeats its id.
MAX_ID_CHARACTERS = 255
PAYLOAD_TYPES: dict[str, Any] = {
    "query": str,
    "operationName": str | None,
    "variables": dict | None,
    "extensions": dict | None,
}


class Close(Enum):
    """The close codes of the protocol."""

    GOING_AWAY = 1001
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    INVALID_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NO_SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    OPERATION_EXISTS = 4409
    SECOND_INIT = 4429


class ClosingError(Exception):
    """The connection must be closed, with this code and reason."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class InvalidMessageError(ClosingError):
    """A frame is not a message of the protocol."""

    def __init__(self, reason: str) -> None:
        super().__init__(Close.INVALID_MESSAGE, reason)


@dataclass(frozen=True, slots=True)
class Message:
    """A client's message. `payload`: None if it is null or absent.

    `fault`: why the operation in it cannot be parsed.
    """

    type: str
    id: str
    payload: dict[str, Any] | None
    fault: JoblensError | None = None


def read_message(frame: AsgiMessage) -> Message:
    """Parse a frame. Raises InvalidMessageError."""
    text = frame.get("text")
    if text is None:
        raise InvalidMessageError("Messages are text, not binary.")
    try:
        body = parse(text.encode(), "The message")
    except JoblensError as error:
        return _read_envelope(text, error)
    if not isinstance(body, dict):
        raise InvalidMessageError("A message must be a JSON object.")
    match body.get("type"):
        case "connection_init" | "ping" | "pong" as kind:
            return Message(kind, "", _payload(body))
        case "complete" as kind:
            return Message(kind, _id(body), None)
        case "subscribe" as kind:
            return Message(kind, _id(body), _operation(body))
        case str():
            raise InvalidMessageError("Clients may not send messages of this type.")
        case _:
            raise InvalidMessageError("A message must have a 'type', as text.")


def _read_envelope(text: str, fault: JoblensError) -> Message:
    """Parse the envelope of a message whose payload has values that JSON does not allow.

    Python's parser accepts some of them: lone surrogates, 1e400, NaN. Raises InvalidMessageError if
    it does not, or if the message is not `subscribe`.
    """
    try:
        # Integers are not parsed: with many digits that takes long.
        body = json.loads(text, parse_int=len)
        if isinstance(body, dict) and body.get("type") == "subscribe":
            return Message("subscribe", _id(body), None, fault)
    except (ValueError, RecursionError):
        pass
    raise InvalidMessageError(fault.message)


def _id(body: dict[str, Any]) -> str:
    id_ = body.get("id")
    if not isinstance(id_, str) or not id_:
        raise InvalidMessageError("This message must have an 'id', as text.")
    if len(id_) > MAX_ID_CHARACTERS:
        raise InvalidMessageError(f"An 'id' may have at most {MAX_ID_CHARACTERS} characters.")
    try:
        id_.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError("An 'id' must be text in UTF-8.") from None
    return id_


def _payload(body: dict[str, Any]) -> dict[str, Any] | None:
    payload = body.get("payload")
    if not isinstance(payload, dict | None):
        raise InvalidMessageError("'payload' must be an object or null.")
    try:
        # A pong sends it back.
        dumps(payload)
    except (TypeError, JoblensError):
        raise InvalidMessageError("'payload' has values that JSON does not allow.") from None
    return payload


def _operation(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    if not isinstance(payload, dict):
        raise InvalidMessageError("'payload' must be an object.")
    for name, type_ in PAYLOAD_TYPES.items():
        if name == "query" and payload.get(name) is None and _has_document_id(payload):
            continue
        if not isinstance(payload.get(name), type_):
            raise InvalidMessageError(f"'{name}' in 'payload' is missing or has a wrong type.")
    return payload


def _has_document_id(payload: dict[str, Any]) -> bool:
    """Return whether the payload identifies its document by an id or a hash."""
    extensions = payload.get("extensions")
    persisted = isinstance(extensions, dict) and extensions.get("persistedQuery")
    return bool(payload.get("documentId") or persisted)


def next_message(id_: str, response: Response) -> bytes:
    """Encode a `next` message; a response that several operations share is encoded once."""
    return b'{"id":' + dumps(id_) + b',"type":"next","payload":' + encoded(response) + b"}"


def error_message(id_: str, response: Response) -> dict[str, Any]:
    """Make the `error` message that ends an operation."""
    return {"id": id_, "type": "error", "payload": list(response.errors)}
