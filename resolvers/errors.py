"""The errors that clients are told of. Anything else is logged and masked.

The descriptions here are the reference: docs/reference/errors.md is generated from them.
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
        "The HTTP request is no GraphQL request: the body is not JSON, not an object, has no "
        "`query`, or a header has a wrong form. The variables of a query hold half of a surrogate "
        "pair, or a number that JSON may not have here. Or an operation came by a way that does "
        "not fit it: a subscription where one answer is due.",
    )
    GRAPHQL_PARSE_FAILED = (
        "GRAPHQL_PARSE_FAILED",
        "The document is not GraphQL, or is nested too deeply to be read.",
    )
    GRAPHQL_VALIDATION_FAILED = (
        "GRAPHQL_VALIDATION_FAILED",
        "The document is GraphQL, but does not fit the schema.",
    )
    LIMIT_EXCEEDED = (
        "LIMIT_EXCEEDED",
        "The document or its variables are beyond a limit: `extensions` has the `limit`, its `max` "
        "and the `actual` number, as far as that was counted.",
    )
    COST_EXCEEDED = (
        "COST_EXCEEDED",
        "The query could return more than `JOBLENS_MAX_COST` objects; the message has the sum. Ask "
        "for smaller pages.",
    )
    INTROSPECTION_DISABLED = (
        "INTROSPECTION_DISABLED",
        "The document asks for `__schema` or `__type`, and `JOBLENS_INTROSPECTION` is off.",
    )
    UNTRUSTED_DOCUMENT = (
        "UNTRUSTED_DOCUMENT",
        "The document was not registered, and `JOBLENS_DOCUMENTS` admits no others.",
    )
    PERSISTED_QUERY_NOT_FOUND = (
        "PERSISTED_QUERY_NOT_FOUND",
        "No document has this id. Clients of automatic persisted queries send its text then.",
    )
    PERSISTED_QUERY_NOT_SUPPORTED = (
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "No document has this hash, and `JOBLENS_AUTOMATIC_PERSISTED_QUERIES` is off. Send the "
        "document's text.",
    )
    OPERATION_RESOLUTION_FAILURE = (
        "OPERATION_RESOLUTION_FAILURE",
        "`operationName` names no operation of the document, or the document has several and none "
        "is named.",
    )
    BAD_USER_INPUT = (
        "BAD_USER_INPUT",
        "An argument or a variable has a value that cannot be used; the message says why.",
    )
    INVALID_CURSOR = (
        "INVALID_CURSOR",
        "A cursor is garbled or belongs to another order. Start again without it.",
    )
    UNAUTHENTICATED = (
        "UNAUTHENTICATED",
        "Nobody knows who asks: there is no token, or it is not known, has expired or was revoked. "
        "A subscription that is running ends with it when its token does.",
    )
    FORBIDDEN = (
        "FORBIDDEN",
        "Your roles do not allow it; the message says which one is needed. Whether what was asked "
        "for exists was not looked up.",
    )
    ORIGIN_NOT_ALLOWED = (
        "ORIGIN_NOT_ALLOWED",
        "A browser asks for a page of another origin, and `JOBLENS_CORS_ORIGINS` does not name it.",
    )
    NOT_FOUND = ("NOT_FOUND", "There is nothing at this path.")
    METHOD_NOT_ALLOWED = (
        "METHOD_NOT_ALLOWED",
        "Only POST, and GET for queries and subscriptions, are answered.",
    )
    NOT_ACCEPTABLE = (
        "NOT_ACCEPTABLE",
        "The `Accept` header admits none of `application/graphql-response+json`, "
        "`application/json` and `text/event-stream`; a subscription needs the last.",
    )
    REQUEST_TIMEOUT = (
        "REQUEST_TIMEOUT",
        "The request's head did not arrive within `JOBLENS_HEAD_TIMEOUT_SECONDS`, or its body "
        "within `JOBLENS_BODY_TIMEOUT_SECONDS`.",
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
        "The `Host` header names a host that this is not; `JOBLENS_HOSTS` tells which it is.",
    )
    TOO_MANY_OPERATIONS = (
        "TOO_MANY_OPERATIONS",
        "The WebSocket runs `JOBLENS_WEBSOCKET_MAX_OPERATIONS` operations already. Complete one, "
        "or open another WebSocket.",
    )
    HEADERS_TOO_LARGE = (
        "HEADERS_TOO_LARGE",
        "The URL and the headers of the request have more than 64 KiB.",
    )
    TOO_MANY_REQUESTS = (
        "TOO_MANY_REQUESTS",
        "The viewer has `JOBLENS_MAX_REQUESTS_PER_VIEWER` requests running already, or as many as "
        "are still free for all. Wait for one to end.",
    )
    TOO_MANY_CONNECTIONS = (
        "TOO_MANY_CONNECTIONS",
        "The viewer, or the address of a WebSocket that has not signed in yet, has "
        "`JOBLENS_MAX_CONNECTIONS_PER_VIEWER` WebSockets and streams open already, "
        "or as many as are still free for all. Close one, or run several operations in one "
        "WebSocket.",
    )
    RATE_LIMITED = (
        "RATE_LIMITED",
        "The viewer has spent its `JOBLENS_RATE_POINTS_PER_MINUTE`. Try again after "
        "`Retry-After` seconds.",
    )
    OVERLOADED = (
        "OVERLOADED",
        "The process runs `JOBLENS_MAX_REQUESTS` requests already, or holds "
        "`JOBLENS_MAX_CONNECTIONS` connections. Try again after `Retry-After` seconds.",
    )
    TIMEOUT = (
        "TIMEOUT",
        "A statement ran longer than `JOBLENS_STATEMENT_TIMEOUT_SECONDS`, or the request longer "
        "than `JOBLENS_REQUEST_TIMEOUT_SECONDS`; what a mutation's field wrote is undone. Ask for "
        "less: a narrower filter, `atMost`, a shorter range.",
    )
    RESPONSE_TOO_LARGE = (
        "RESPONSE_TOO_LARGE",
        "The answer would have more than `JOBLENS_MAX_RESPONSE_BYTES`, so `data` is null. Ask for "
        "smaller pages, or without `payload`, `result` or `detail`. What a mutation wrote stays "
        "written: `extensions.fields` has what came of each of its fields.",
    )
    UNAVAILABLE = (
        "UNAVAILABLE",
        "The database cannot be reached or has no connection to spare. Try again.",
    )
    COMMIT_UNCERTAIN = (
        "COMMIT_UNCERTAIN",
        "The connection to the database was lost while a mutation's field was being committed: "
        "all that it wrote was kept, or nothing. Look, or repeat the field if that changes "
        "nothing where it was kept: a creation with an `idempotencyKey`, or a transition with "
        "`from`.",
    )
    SLOW_CONSUMER = (
        "SLOW_CONSUMER",
        "The client took what a subscription told it too slowly, and the subscription was ended. "
        "Subscribe again with `after` set to the last cursor received: nothing is lost.",
    )
    TOO_MANY_SUBSCRIPTIONS = (
        "TOO_MANY_SUBSCRIPTIONS",
        "The process already serves `JOBLENS_LIVE_MAX_SUBSCRIPTIONS`, or the viewer has "
        "`JOBLENS_LIVE_MAX_SUBSCRIPTIONS_PER_VIEWER`, or as many as are still free for all. Try "
        "again later, or let one end.",
    )
    INTERNAL_SERVER_ERROR = (
        "INTERNAL_SERVER_ERROR",
        "Something broke in Joblens. The log tells what, under the request id of the response.",
    )


class JoblensError(Exception):
    """An error that a client may read: `message` is for people, `code` for programs.

    `details` tell programs more.
    """

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class BadUserInputError(JoblensError):
    """An argument has a value that cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, message)


class ForbiddenError(JoblensError):
    """The viewer may not do this, whatever it would have met."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.FORBIDDEN, message)


class InvalidCursorError(JoblensError):
    """A cursor is garbled or belongs to another order."""

    def __init__(self, argument: str) -> None:
        super().__init__(
            ErrorCode.INVALID_CURSOR, f"'{argument}' is not a cursor of this list in this order."
        )


class QueryTimeoutError(JoblensError):
    """A statement took too long."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.TIMEOUT, "The query took too long. Narrow its filter or range, or use atMost."
        )


class ResponseTooLargeError(JoblensError):
    """The answer would be too large. `fields`: what a mutation's fields came to before."""

    def __init__(self, max_bytes: int, fields: Sequence[Mapping[str, Any]] = ()) -> None:
        remedy = "What the mutation wrote stays written." if fields else "Ask for less of it."
        details = {"fields": fields} if fields else {}
        super().__init__(
            ErrorCode.RESPONSE_TOO_LARGE,
            f"The answer would have more than {max_bytes} bytes. {remedy}",
            limit="responseBytes",
            max=max_bytes,
            **details,
        )


class UnavailableError(JoblensError):
    """The database is away."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, "The database is not available. Try again shortly.")


class UncertainError(JoblensError):
    """The database was lost while committing."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.COMMIT_UNCERTAIN,
            "The database was lost while this was being committed: it was kept, or not. Look, or "
            "repeat it if that changes nothing where it was kept.",
        )


class SlowConsumerError(JoblensError):
    """A subscriber did not keep up."""

    def __init__(self, queue_size: int) -> None:
        super().__init__(
            ErrorCode.SLOW_CONSUMER,
            f"More than {queue_size} events were waiting for this subscription, so it was ended. "
            "Subscribe again with 'after' set to the last cursor received.",
        )
