"""The errors that clients receive. Any other exception is logged and masked.

docs/reference/errors.md is generated from the meanings of the codes.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Self


class ErrorCode(StrEnum):
    """A stable `extensions.code` and what it means."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    BAD_REQUEST = (
        "BAD_REQUEST",
        "The request is not a GraphQL request: the body is not JSON, is not an object or has no "
        "`query`, or a header is malformed. Or the variables contain an unpaired surrogate or a "
        "number that JSON does not allow. Or the operation does not fit the transport, such as a "
        "subscription where a single response is expected.",
    )
    GRAPHQL_PARSE_FAILED = (
        "GRAPHQL_PARSE_FAILED",
        "The document is not valid GraphQL syntax, or is nested too deeply to be parsed.",
    )
    GRAPHQL_VALIDATION_FAILED = (
        "GRAPHQL_VALIDATION_FAILED",
        "The document is not valid against the schema.",
    )
    LIMIT_EXCEEDED = (
        "LIMIT_EXCEEDED",
        "The document or its variables exceed a limit. `extensions` has the `limit`, its `max` "
        "and the `actual` number, as far as it was counted.",
    )
    COST_EXCEEDED = (
        "COST_EXCEEDED",
        "The query could return more than `JOBLENS_MAX_COST` objects; the message shows how they "
        "add up. Request smaller pages.",
    )
    INTROSPECTION_DISABLED = (
        "INTROSPECTION_DISABLED",
        "The document selects `__schema` or `__type`, and `JOBLENS_INTROSPECTION` is off.",
    )
    UNTRUSTED_DOCUMENT = (
        "UNTRUSTED_DOCUMENT",
        "The document is not registered, and `JOBLENS_DOCUMENTS` allows only registered ones.",
    )
    PERSISTED_QUERY_NOT_FOUND = (
        "PERSISTED_QUERY_NOT_FOUND",
        "No document has this id. Clients of automatic persisted queries then send its text.",
    )
    PERSISTED_QUERY_NOT_SUPPORTED = (
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "No document has this hash, and `JOBLENS_AUTOMATIC_PERSISTED_QUERIES` is off. Send the "
        "document's text.",
    )
    OPERATION_RESOLUTION_FAILURE = (
        "OPERATION_RESOLUTION_FAILURE",
        "No operation of the document has the name `operationName`, or the document has several "
        "operations and `operationName` is missing.",
    )
    BAD_USER_INPUT = (
        "BAD_USER_INPUT",
        "An argument or a variable has an invalid value; the message states why.",
    )
    INVALID_CURSOR = (
        "INVALID_CURSOR",
        "A cursor is malformed or belongs to another sort order. Start again without it.",
    )
    UNAUTHENTICATED = (
        "UNAUTHENTICATED",
        "The client is not authenticated: the token is missing, unknown, expired or revoked. "
        "A running subscription ends with this code when its token expires or is revoked.",
    )
    FORBIDDEN = (
        "FORBIDDEN",
        "The client's roles do not allow the operation; the message names the role required. "
        "The error does not depend on whether the requested object exists.",
    )
    ORIGIN_NOT_ALLOWED = (
        "ORIGIN_NOT_ALLOWED",
        "The request comes from a page of another origin, which `JOBLENS_CORS_ORIGINS` does not "
        "list.",
    )
    NOT_FOUND = ("NOT_FOUND", "No resource exists at this path.")
    METHOD_NOT_ALLOWED = (
        "METHOD_NOT_ALLOWED",
        "The method is not supported. Use POST, or GET for queries and subscriptions.",
    )
    NOT_ACCEPTABLE = (
        "NOT_ACCEPTABLE",
        "The client accepts none of `application/graphql-response+json`, `application/json` and "
        "`text/event-stream`; a subscription requires the last.",
    )
    REQUEST_TIMEOUT = (
        "REQUEST_TIMEOUT",
        "The request's headers did not arrive within `JOBLENS_HEAD_TIMEOUT_SECONDS`, or its body "
        "did not arrive within `JOBLENS_BODY_TIMEOUT_SECONDS`.",
    )
    PAYLOAD_TOO_LARGE = (
        "PAYLOAD_TOO_LARGE",
        "The request body is larger than `JOBLENS_MAX_BODY_BYTES`.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        "UNSUPPORTED_MEDIA_TYPE",
        "The request body is not `application/json` in UTF-8, or is compressed.",
    )
    HOST_NOT_ALLOWED = (
        "HOST_NOT_ALLOWED",
        "The request is for a host name that `JOBLENS_HOSTS` does not list.",
    )
    TOO_MANY_OPERATIONS = (
        "TOO_MANY_OPERATIONS",
        "The WebSocket already runs `JOBLENS_WEBSOCKET_MAX_OPERATIONS` operations. Complete one, "
        "or open another WebSocket.",
    )
    HEADERS_TOO_LARGE = (
        "HEADERS_TOO_LARGE",
        "The URL and the headers of the request exceed 64 KiB.",
    )
    TOO_MANY_REQUESTS = (
        "TOO_MANY_REQUESTS",
        "The client already has `JOBLENS_MAX_REQUESTS_PER_VIEWER` requests running, or as many as "
        "are still free for all clients. Wait for one to finish.",
    )
    TOO_MANY_CONNECTIONS = (
        "TOO_MANY_CONNECTIONS",
        "The client, or the IP address of a WebSocket that is not authenticated yet, already has "
        "`JOBLENS_MAX_CONNECTIONS_PER_VIEWER` WebSockets and event streams open, or as many as "
        "are still free for all clients. Close one, or run several operations in one WebSocket.",
    )
    RATE_LIMITED = (
        "RATE_LIMITED",
        "Rate limit exceeded: the client has spent its `JOBLENS_RATE_POINTS_PER_MINUTE`. Retry "
        "after `extensions.retryAfterSeconds`.",
    )
    OVERLOADED = (
        "OVERLOADED",
        "The server already runs `JOBLENS_MAX_REQUESTS` requests or holds "
        "`JOBLENS_MAX_CONNECTIONS` connections. Retry after `extensions.retryAfterSeconds`.",
    )
    TIMEOUT = (
        "TIMEOUT",
        "A statement ran longer than `JOBLENS_STATEMENT_TIMEOUT_SECONDS`, or the request longer "
        "than `JOBLENS_REQUEST_TIMEOUT_SECONDS`. Writes of the failed mutation field are rolled "
        "back. Request less: a narrower filter, `atMost`, a shorter range.",
    )
    SCAN_TIMEOUT = (
        "SCAN_TIMEOUT",
        "No index answers the filter, and reading the jobs took longer than "
        "`JOBLENS_SCAN_TIMEOUT_SECONDS`. Add the filters of `extensions.addFilters`, such as a "
        "range of `createdAt`.",
    )
    RESPONSE_TOO_LARGE = (
        "RESPONSE_TOO_LARGE",
        "The response would exceed `JOBLENS_MAX_RESPONSE_BYTES`, so `data` is null. Request "
        "smaller pages, or leave out `payload`, `result` or `detail`. Writes of a mutation remain "
        "committed: `extensions.fields` has the outcome of each of its fields.",
    )
    UNAVAILABLE = (
        "UNAVAILABLE",
        "The database cannot be reached or has no free connection. Retry.",
    )
    READ_ONLY_DATABASE = (
        "READ_ONLY_DATABASE",
        "The database takes no writes: it is a standby. Queries are answered. Send mutations to a "
        "server whose `JOBLENS_DATABASE_URL` leads to the primary.",
    )
    COMMIT_UNCERTAIN = (
        "COMMIT_UNCERTAIN",
        "The connection to the database was lost during the commit of a mutation field: either "
        "all or none of its writes were committed. Query the result, or repeat the field if it is "
        "safe to repeat: a creation with an `idempotencyKey`, or a transition with `from`.",
    )
    SLOW_CONSUMER = (
        "SLOW_CONSUMER",
        "The client read the messages of a subscription too slowly, so the subscription was "
        "ended. Subscribe again with `after` set to the last cursor received; no event is lost.",
    )
    TOO_MANY_SUBSCRIPTIONS = (
        "TOO_MANY_SUBSCRIPTIONS",
        "The server already has `JOBLENS_LIVE_MAX_SUBSCRIPTIONS` subscriptions, or the client has "
        "`JOBLENS_LIVE_MAX_SUBSCRIPTIONS_PER_VIEWER` or as many as are still free for all "
        "clients. Retry later, or end one.",
    )
    INTERNAL_SERVER_ERROR = (
        "INTERNAL_SERVER_ERROR",
        "An unexpected error in Joblens. Its log has the details under the request id of the "
        "response.",
    )


class JoblensError(Exception):
    """An error that is sent to the client: `code` is for programs, `message` for people.

    `details` are further members of `extensions`.
    """

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class BadUserInputError(JoblensError):
    """An argument has an invalid value."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, message)


class ForbiddenError(JoblensError):
    """The viewer's roles do not allow the operation."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.FORBIDDEN, message)


class InvalidCursorError(JoblensError):
    """A cursor is malformed or belongs to another order. `argument`: the argument that has it."""

    def __init__(self, argument: str) -> None:
        super().__init__(
            ErrorCode.INVALID_CURSOR, f"'{argument}' is not a cursor of this list in this order."
        )


class QueryTimeoutError(JoblensError):
    """A statement or the request exceeded its timeout."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.TIMEOUT, "The query timed out. Narrow its filter or range, or use atMost."
        )


class ScanTimeoutError(JoblensError):
    """A filter that no index answers read too many rows. `filters`: the filters to add."""

    def __init__(self, filters: Sequence[str]) -> None:
        named = " or ".join(f"'{name}'" for name in filters)
        super().__init__(
            ErrorCode.SCAN_TIMEOUT,
            "The filter has conditions that are only found by reading one job after another, and "
            f"there are too many. Add {named} to the filter, or make its range shorter.",
            addFilters=list(filters),
        )


class ResponseTooLargeError(JoblensError):
    """The response would be too large. `fields`: the outcomes of a mutation's fields."""

    def __init__(self, max_bytes: int, fields: Sequence[Mapping[str, Any]] = ()) -> None:
        remedy = "The writes of the mutation are committed." if fields else "Request less data."
        details = {"fields": fields} if fields else {}
        super().__init__(
            ErrorCode.RESPONSE_TOO_LARGE,
            f"The response would exceed {max_bytes} bytes. {remedy}",
            limit="responseBytes",
            max=max_bytes,
            **details,
        )


class UnavailableError(JoblensError):
    """The database cannot be reached or has no free connection."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, "The database is not available. Retry shortly.")


class ReadOnlyDatabaseError(JoblensError):
    """The database is a standby, which takes no writes."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.READ_ONLY_DATABASE,
            "The database takes no writes, because it is a standby. Nothing was changed.",
        )


class UncertainError(JoblensError):
    """The connection to the database was lost during a commit, whose outcome is unknown."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.COMMIT_UNCERTAIN,
            "The connection to the database was lost during the commit: it may have succeeded or "
            "not. Query the result, or repeat the mutation if it is safe to repeat.",
        )


class SlowConsumerError(JoblensError):
    """A subscription's client reads too slowly. `queue_size`: the limit that was exceeded."""

    def __init__(self, queue_size: int) -> None:
        super().__init__(
            ErrorCode.SLOW_CONSUMER,
            f"More than {queue_size} events were waiting for this subscription, so it was ended. "
            "Subscribe again with 'after' set to the last cursor received.",
        )
