"""Parse and validate GraphQL requests over HTTP."""

import asyncio
from codecs import BOM_UTF8
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Receive

from db.json_values import SURROGATE, loads
from db.replica import parse_position
from db.validation import UNSTORABLE
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.models import Request

JSON = "application/json"


async def read_post(http: HttpRequest, max_bytes: int, timeout_seconds: float) -> Request:
    """Read a request from a JSON body of at most `max_bytes`. Raises JoblensError."""
    if not _is_json(http.headers.get("content-type", "")):
        raise JoblensError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json in UTF-8."
        )
    if http.headers.get("content-encoding", "identity").lower() != "identity":
        raise JoblensError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed or encoded."
        )
    body = await _body(http, max_bytes, timeout_seconds)
    return as_request(parse(body.removeprefix(BOM_UTF8), "The body"))


def read_get(http: HttpRequest) -> Request:
    """Read a request from the URL's parameters; `variables` and `extensions` are JSON.

    Raises JoblensError.
    """
    parameters: dict[str, Any] = dict(http.query_params)
    for name in ("variables", "extensions"):
        if text := parameters.pop(name, ""):
            parameters[name] = parse(text.encode(), f"'{name}'")
    return as_request(parameters)


async def _body(http: HttpRequest, max_bytes: int, timeout_seconds: float) -> bytes:
    content_length = http.headers.get("content-length", "")
    if content_length.isdecimal() and int(content_length) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _receive_body(http.receive, max_bytes)
    except TimeoutError:
        message = f"The body must arrive within {timeout_seconds:g} seconds."
        raise JoblensError(ErrorCode.REQUEST_TIMEOUT, message) from None


async def _receive_body(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return bytes(body)


def _is_json(content_type: str) -> bool:
    if content_type == JSON:
        return True
    media_type, *parameters = (item.strip() for item in content_type.lower().split(";"))
    charsets = {each.replace('"', "") for each in parameters if each.startswith("charset=")}
    return media_type == JSON and not charsets - {"charset=utf-8"}


def _too_large(max_bytes: int) -> JoblensError:
    message = f"The body may have at most {max_bytes} bytes."
    return JoblensError(ErrorCode.PAYLOAD_TOO_LARGE, message)


def parse(text: bytes, name: str) -> Any:
    """Parse JSON strictly: UTF-8, bounded depth, no lone surrogates except in variables.

    Those in variables, and numbers out of range, are validated where they are used. `name` is used
    in the message. Raises JoblensError.
    """
    try:
        value = loads(text)
        if SURROGATE.search(text) is None or not _has_lone_surrogate(value):
            return value
    except (ValueError, RecursionError):
        pass
    raise JoblensError(ErrorCode.BAD_REQUEST, f"{name} is not valid JSON in UTF-8.")


def _has_lone_surrogate(value: object) -> bool:
    """Return whether any text outside of `variables` has a lone surrogate."""
    if isinstance(value, dict):
        return any(
            _has_lone_surrogate(key) or (key != "variables" and _has_lone_surrogate(item))
            for key, item in value.items()
        )
    if isinstance(value, list):
        return any(map(_has_lone_surrogate, value))
    return isinstance(value, str) and UNSTORABLE.search(value) is not None


def as_request(body: object) -> Request:
    """Validate parsed JSON as a request. Raises JoblensError."""
    if not isinstance(body, dict):
        raise JoblensError(ErrorCode.BAD_REQUEST, "A request must be a JSON object.")
    query, document_id = body.get("query"), body.get("documentId")
    if not isinstance(document_id, str | None):
        raise JoblensError(ErrorCode.BAD_REQUEST, "'documentId' must be text or null.")
    sha256_hash = _sha256_hash(body.get("extensions"))
    # Clients of WebSockets whose protocol wants a text send an empty one with an id.
    has_id = (query is None or query == "") and (document_id or sha256_hash)
    if not has_id and (not isinstance(query, str) or not query):
        raise JoblensError(ErrorCode.BAD_REQUEST, "'query' must be the text of a document.")
    operation_name = body.get("operationName")
    if not isinstance(operation_name, str | None):
        raise JoblensError(ErrorCode.BAD_REQUEST, "'operationName' must be text or null.")
    variables = body.get("variables")
    if not isinstance(variables, dict | None):
        raise JoblensError(ErrorCode.BAD_REQUEST, "'variables' must be an object or null.")
    position = check_position((body.get("extensions") or {}).get("position"))
    return Request(
        query or None, operation_name, variables or {}, document_id, sha256_hash, position
    )


def check_position(position: object) -> str | None:
    """Check a position that a client has sent. Raises JoblensError."""
    if position is None or position == "":
        return None
    if not isinstance(position, str) or parse_position(position) is None:
        raise JoblensError(
            ErrorCode.BAD_REQUEST,
            "The position must be one that was received, such as '16/B374D848'.",
        )
    return position


def _sha256_hash(extensions: object) -> str | None:
    """Get the hash by which Apollo's clients identify a document."""
    if not isinstance(extensions, dict | None):
        raise JoblensError(ErrorCode.BAD_REQUEST, "'extensions' must be an object or null.")
    persisted = (extensions or {}).get("persistedQuery")
    sha256_hash = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    return sha256_hash if isinstance(sha256_hash, str) else None
