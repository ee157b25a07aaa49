"""Formats errors for clients, and logs unexpected ones."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from db.error_texts import storable
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_wording import bounded, reworded

MASKED = "Something went wrong in Joblens; its log tells what, under this response's request id."

log = structlog.get_logger("joblens.graphql")


def cause(error: GraphQLError) -> Exception:
    """Get the exception that caused an error of graphql-core; the error itself if there is none."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def format_graphql_error(error: GraphQLError, code: ErrorCode) -> dict[str, Any]:
    """Format an error of graphql-core. `code` applies unless its cause has one of its own."""
    origin = cause(error)
    details = {}
    if isinstance(origin, JoblensError):
        code, details = origin.code, origin.details
    # The message may quote text of the client that JSON cannot hold.
    message = reworded(storable(error.message))
    formatted: dict[str, Any] = {**error.formatted, "message": message}
    return formatted | {"extensions": {"code": code.value, **details}}


def format_error(error: JoblensError) -> dict[str, Any]:
    """Format a JoblensError."""
    extensions = {"code": error.code.value, **error.details}
    return {"message": bounded(error.message), "extensions": extensions}


def present(error: GraphQLError) -> dict[str, Any]:
    """Format an error of a run operation. Unexpected errors are masked."""
    if (known := _expected(error)) is not None:
        return format_graphql_error(error, known)
    masked = GraphQLError(MASKED, error.nodes, path=error.path)
    return format_graphql_error(masked, ErrorCode.INTERNAL_SERVER_ERROR)


def log_unexpected(errors: Sequence[GraphQLError]) -> None:
    """Log each unexpected error once, however many fields it caused errors in."""
    causes = {id(cause(error)): error for error in errors if _expected(error) is None}
    for error in causes.values():
        log.error("unexpected error", path=error.path, exc_info=cause(error))


def _expected(error: GraphQLError) -> ErrorCode | None:
    """Get the code of an expected error; None for an unexpected one."""
    origin = cause(error)
    if isinstance(origin, JoblensError):
        return origin.code
    if isinstance(origin, RecursionError):
        return ErrorCode.BAD_USER_INPUT
    # graphql-core's error for an argument whose variable is coerced only when it is run.
    if isinstance(origin, GraphQLError) and origin.message.startswith("Argument "):
        return ErrorCode.BAD_USER_INPUT
    return None
