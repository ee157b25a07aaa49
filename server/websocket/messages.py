"""The words of graphql-transport-ws: its messages and close codes.

Messages are read strictly: a frame that is none ends the connection. But what an operation is
given concerns that operation alone.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.types import Message as AsgiMessage

from resolvers.errors import JoblensError
from schema.execution.models import Response
from server.http.requests import parse
from server.http.responses import dumps, encoded

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
    """Why we close a connection: the codes of the protocol."""

    GOING_AWAY = 1001
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    NO_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NO_SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    OPERATION_EXISTS = 4409
    SECOND_INIT = 4429


class ClosingError(Exception):
    """The connection is to be closed, with this code and these words."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class NoMessageError(ClosingError):
    """A frame is not a message of the protocol; its words tell why."""

    def __init__(self, reason: str) -> None:
        super().__init__(Close.NO_MESSAGE, reason)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client. `payload` is an object, or None where it is null or absent.

    `fault`: why the operation that it asks for cannot be read.
    """

    type: str
    id: str
    payload: dict[str, Any] | None
    fault: JoblensError | None = None


def read_message(frame: AsgiMessage) -> Message:
    """Read a frame's message. Raises NoMessageError."""
    text = frame.get("text")
    if text is None:
        raise NoMessageError("Messages are text, not binary.")
    try:
        body = parse(text.encode(), "The message")
    except JoblensError as error:
        return _unreadable(text, error)
    if not isinstance(body, dict):
        raise NoMessageError("A message must be a JSON object.")
    match body.get("type"):
        case "connection_init" | "ping" | "pong" as kind:
            return Message(kind, "", _payload(body))
        case "complete" as kind:
            return Message(kind, _id(body), None)
        case "subscribe" as kind:
            return Message(kind, _id(body), _operation(body))
        case str():
            raise NoMessageError("There is no such type of message from clients.")
        case _:
            raise NoMessageError("A message must have a 'type', which is text.")


def _unreadable(text: str, fault: JoblensError) -> Message:
    """Read the envelope of a message whose payload has values that JSON does not allow.

    Of those Python's reader takes, such as half of a surrogate pair, 1e400 or NaN. Raises
    NoMessageError where there is none, or the message is not about an operation of its own.
    """
    try:
        # Whole numbers are not read: of many digits that takes long.
        body = json.loads(text, parse_int=len)
        if isinstance(body, dict) and body.get("type") == "subscribe":
            return Message("subscribe", _id(body), None, fault)
    except (ValueError, RecursionError):
        pass
    raise NoMessageError(fault.message)


def _id(body: dict[str, Any]) -> str:
    id_ = body.get("id")
    if not isinstance(id_, str) or not id_:
        raise NoMessageError("This message must have an 'id', which is text.")
    if len(id_) > MAX_ID_CHARACTERS:
        raise NoMessageError(f"An 'id' may have at most {MAX_ID_CHARACTERS} characters.")
    try:
        id_.encode()
    except UnicodeEncodeError:
        raise NoMessageError("An 'id' must be text in UTF-8.") from None
    return id_


def _payload(body: dict[str, Any]) -> dict[str, Any] | None:
    payload = body.get("payload")
    if not isinstance(payload, dict | None):
        raise NoMessageError("'payload' must be an object or null.")
    try:
        # A pong repeats it.
        dumps(payload)
    except (TypeError, JoblensError):
        raise NoMessageError("'payload' has values that JSON does not allow.") from None
    return payload


def _operation(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    if not isinstance(payload, dict):
        raise NoMessageError("'payload' must be an object.")
    for name, type_ in PAYLOAD_TYPES.items():
        if name == "query" and payload.get(name) is None and _names_document(payload):
            continue
        if not isinstance(payload.get(name), type_):
            raise NoMessageError(f"'{name}' in 'payload' is missing or has a wrong type.")
    return payload


def _names_document(payload: dict[str, Any]) -> bool:
    """Say whether an id or a hash stands for the document."""
    extensions = payload.get("extensions")
    persisted = isinstance(extensions, dict) and extensions.get("persistedQuery")
    return bool(payload.get("documentId") or persisted)


def next_message(id_: str, response: Response) -> bytes:
    """Write a result; a response that several operations share becomes JSON once."""
    return b'{"id":' + dumps(id_) + b',"type":"next","payload":' + encoded(response) + b"}"


def error_message(id_: str, response: Response) -> dict[str, Any]:
    """Make the message that ends an operation with errors."""
    return {"id": id_, "type": "error", "payload": list(response.errors)}
