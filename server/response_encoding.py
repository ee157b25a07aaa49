"""Encode GraphQL responses as JSON, for all transports."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from db import json_values
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_format import format_error
from schema.execution.models import Response
from server.limits.errors import BusyError

# The largest batch of messages that is written to a client at once.
WRITTEN_AT_ONCE_BYTES = 65_536


def refusal(error: JoblensError) -> Response:
    """Make the response of a request that was not run because of `error`."""
    formatted = format_error(error)
    if isinstance(error, BusyError):
        # For WebSockets and event streams, which have no headers.
        formatted["extensions"]["retryAfterSeconds"] = error.retry_after_seconds
    return Response(None, [formatted], refused=True)


def encode_once(response: Response) -> Response:
    """Encode a response, which many clients may share. One that is too large is replaced.

    Raises JoblensError as `dumps` does.
    """
    body = dumps(response.body())
    if len(body) > response.max_bytes:
        response = response.too_large()
        body = dumps(response.body())
    response.encoded.append(body)
    return response


def encoded(response: Response) -> bytes:
    """Get the JSON of a response, encoded once for all clients that share it."""
    if not response.encoded and (other := encode_once(response)) is not response:
        response.encoded.extend(other.encoded)
    return response.encoded[0]


def batched(messages: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Group messages, in order, into batches that are written at once."""
    batch: list[bytes] = []
    size = 0
    for message in messages:
        if batch and size + len(message) > WRITTEN_AT_ONCE_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message)
    if batch:
        yield batch


def dumps(value: Any) -> bytes:
    """Encode JSON. Raises JoblensError if it is nested too deeply."""
    try:
        return json_values.dumps(value, orjson.OPT_UTC_Z)
    except TypeError as error:
        if str(error) != "Recursion limit reached":
            raise
        message = "The response is nested too deeply to be encoded."
        raise JoblensError(ErrorCode.BAD_USER_INPUT, message) from None
