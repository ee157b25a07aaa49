"""GraphQL responses over HTTP: their media type, status and headers."""

from collections.abc import Sequence
from functools import lru_cache

import orjson
from starlette.responses import Response as HttpResponse

from resolvers.errors import ErrorCode, JoblensError
from schema.execution.models import Response
from server.auth.credentials import UnauthenticatedError
from server.http.errors import HTTP_STATUSES
from server.http.requests import JSON
from server.limits.errors import BusyError
from server.response_encoding import encoded, refusal

GRAPHQL_RESPONSE = "application/graphql-response+json"
# The older type first: clients that support the newer one accept it explicitly.
MEDIA_TYPES = (JSON, GRAPHQL_RESPONSE)


def write(response: Response, media_type: str) -> HttpResponse:
    """Make the HTTP response. An operation that was run gets 200, even with errors."""
    try:
        body = encoded(response)
    except JoblensError as error:
        return write_error(error, media_type)
    return _Encoded(body, _status(response, media_type), media_type)


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


class _Encoded(HttpResponse):
    """A response whose headers are encoded once for all of its media type."""

    def __init__(self, body: bytes, status: int, media_type: str) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [*_raw_headers(media_type), (b"content-length", b"%d" % len(body))]


@lru_cache
def _raw_headers(media_type: str) -> Sequence[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in _headers(media_type).items()]


def _headers(media_type: str) -> dict[str, str]:
    # Caches do not take the organisation's header into account.
    return {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}


def _status(response: Response, media_type: str) -> int:
    if not response.errors:
        return 200
    codes = response.codes()
    if response.refused:
        # Clients of the older media type treat any other status as a broken server.
        return 200 if media_type == JSON else min(HTTP_STATUSES[ErrorCode[code]] for code in codes)
    nothing = response.data is None or all(value is None for value in response.data.values())
    return (
        HTTP_STATUSES[ErrorCode.UNAVAILABLE]
        if nothing and codes == {ErrorCode.UNAVAILABLE}
        else 200
    )
