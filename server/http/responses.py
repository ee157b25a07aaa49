"""GraphQL responses over HTTP: their JSON, media type and status."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from starlette.responses import Response as HttpResponse

from db import json_values
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_format import format_error
from schema.execution.models import Response
from server.auth.credentials import UnauthenticatedError
from server.http.errors import HTTP_STATUSES
from server.http.requests import JSON
from server.limits.errors import BusyError

GRAPHQL_RESPONSE = "application/graphql-response+json"
# The older one first: clients that know the newer one ask for it by name.
MEDIA_TYPES = (JSON, GRAPHQL_RESPONSE)
# How many bytes are written to a client at once.
WRITTEN_AT_ONCE_BYTES = 65_536


def write(response: Response, media_type: str) -> HttpResponse:
    """Make the HTTP response. An operation that was run gets 200, even with errors."""
    try:
        body = encoded(response)
    except JoblensError as error:
        return write_error(error, media_type)
    return HttpResponse(body, _status(response, media_type), _headers(media_type))


def write_error(
    error: JoblensError, media_type: str = JSON, status: int | None = None
) -> HttpResponse:
    """Make the HTTP response of an error before any operation, with the status of its code."""
    headers = _headers(media_type)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = error.challenge
    if isinstance(error, BusyError):
        headers |= error.headers
    match error.code:
        case ErrorCode.METHOD_NOT_ALLOWED:
            headers["allow"] = "POST"
        case ErrorCode.UNSUPPORTED_MEDIA_TYPE:
            headers |= {"accept": JSON, "accept-encoding": "identity"}
        case ErrorCode.REQUEST_TIMEOUT:
            # The rest of this request may still arrive: it must not be read as another.
            headers["connection"] = "close"
    body = refusal(error).body()
    return HttpResponse(orjson.dumps(body), status or HTTP_STATUSES[error.code], headers)


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


def batched(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Group messages, in order, into batches that are written at once."""
    batch: list[bytes] = []
    size = 0
    for part in parts:
        if batch and size + len(part) > WRITTEN_AT_ONCE_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += len(part)
    if batch:
        yield batch


def dumps(value: Any) -> bytes:
    """Encode JSON. Raises JoblensError if it is nested too deeply."""
    try:
        return json_values.dumps(value, orjson.OPT_UTC_Z)
    except TypeError as error:
        if str(error) != "Recursion limit reached":
            raise
        message = "The answer is nested too deeply to be written."
        raise JoblensError(ErrorCode.BAD_USER_INPUT, message) from None


def _headers(media_type: str) -> dict[str, str]:
    # Caches ignore the header that names the organisation.
    return {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}


def _status(response: Response, media_type: str) -> int:
    codes = response.codes()
    if response.refused:
        # Clients of the older media type take any other status for a broken server.
        return 200 if media_type == JSON else min(HTTP_STATUSES[ErrorCode[code]] for code in codes)
    nothing = response.data is None or all(value is None for value in response.data.values())
    return (
        HTTP_STATUSES[ErrorCode.UNAVAILABLE]
        if nothing and codes == {ErrorCode.UNAVAILABLE}
        else 200
    )
