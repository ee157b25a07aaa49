"""GraphQL responses as they go over HTTP: their JSON, media type and status."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from starlette.responses import Response as HttpResponse

from db import json_values
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_format import formatted
from schema.execution.run import Response
from server.auth.credentials import UnauthenticatedError
from server.http.requests import JSON
from server.limits.errors import BusyError

GRAPHQL_RESPONSE = "application/graphql-response+json"
# For who would take either, the older one: whoever knows the newer asks for it by name.
ANSWERS = (JSON, GRAPHQL_RESPONSE)
# How much is written to a client at once, where much is ready.
WRITTEN_AT_ONCE_BYTES = 65_536


def write(response: Response, media_type: str) -> HttpResponse:
    """Write a response. What was run gets 200, even with errors; see `ErrorCode` for the rest."""
    try:
        body = written(response)
    except JoblensError as error:
        return write_error(error, media_type)
    return HttpResponse(body, _status(response, media_type), _headers(media_type))


def write_error(
    error: JoblensError, media_type: str = JSON, status: int | None = None
) -> HttpResponse:
    """Write an error that came before any response, with the status of its code."""
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
            # What comes now would be the rest of this request, not another.
            headers["connection"] = "close"
    body = refusal(error).body()
    return HttpResponse(orjson.dumps(body), status or error.code.status, headers)


def refusal(error: JoblensError) -> Response:
    """Make the response of a request that `error` kept from being run."""
    told = formatted(error)
    if isinstance(error, BusyError):
        # Where there are no headers to tell it: in a WebSocket, in a stream of events.
        told["extensions"]["retryAfterSeconds"] = error.retry_after_seconds
    return Response(None, [told], refused=True)


def settled(response: Response) -> Response:
    """Write a response once for all who get it; one that is too large is replaced.

    Raises JoblensError as `dumps` does.
    """
    body = dumps(response.body())
    if len(body) > response.max_bytes:
        response = response.too_large()
        body = dumps(response.body())
    response.written.append(body)
    return response


def written(response: Response) -> bytes:
    """Get the body of a response, which many may share; it is written once for all of them."""
    if not response.written and (other := settled(response)) is not response:
        response.written.extend(other.written)
    return response.written[0]


def gather(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Gather what is to be written one after another into what can be written at once."""
    together: list[bytes] = []
    size = 0
    for part in parts:
        if together and size + len(part) > WRITTEN_AT_ONCE_BYTES:
            yield together
            together, size = [], 0
        together.append(part)
        size += len(part)
    if together:
        yield together


def dumps(value: Any) -> bytes:
    """Write JSON; raise JoblensError where it is nested too deeply for that."""
    try:
        return json_values.dumps(value, orjson.OPT_UTC_Z)
    except TypeError as error:
        if str(error) != "Recursion limit reached":
            raise
        message = "The answer is nested too deeply to be written."
        raise JoblensError(ErrorCode.BAD_USER_INPUT, message) from None


def _headers(media_type: str) -> dict[str, str]:
    # Who acts is told by a header that caches do not look at.
    return {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}


def _status(response: Response, media_type: str) -> int:
    codes = response.codes()
    if response.refused:
        # Clients of the older media type take any other status for a broken server.
        return 200 if media_type == JSON else min(ErrorCode[code].status for code in codes)
    nothing = response.data is None or all(value is None for value in response.data.values())
    return ErrorCode.UNAVAILABLE.status if nothing and codes == {ErrorCode.UNAVAILABLE} else 200
