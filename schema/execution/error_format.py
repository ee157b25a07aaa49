"""Errors in the words and the form in which clients get them."""

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
    """Find what an error of graphql-core came from, itself if from nothing else."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def format_graphql_error(error: GraphQLError, code: ErrorCode) -> dict[str, Any]:
    """Format an error of graphql-core; `code` is that of one that has none of its own."""
    origin = cause(error)
    details = {}
    if isinstance(origin, JoblensError):
        code, details = origin.code, origin.details
    # Words of the client may be among them, such as no answer can be written with.
    message = reworded(storable(error.message))
    told: dict[str, Any] = {**error.formatted, "message": message}
    return told | {"extensions": {"code": code.value, **details}}


def format_error(error: JoblensError) -> dict[str, Any]:
    """Format an error of ours."""
    extensions = {"code": error.code.value, **error.details}
    return {"message": bounded(error.message), "extensions": extensions}


def present(error: GraphQLError) -> dict[str, Any]:
    """Put an error of the run into words: what is not meant for clients is masked."""
    if (known := _expected(error)) is not None:
        return format_graphql_error(error, known)
    masked = GraphQLError(MASKED, error.nodes, path=error.path)
    return format_graphql_error(masked, ErrorCode.INTERNAL_SERVER_ERROR)


def log_unexpected(errors: Sequence[GraphQLError]) -> None:
    """Log each defect once, however many fields it reached."""
    causes = {id(cause(error)): error for error in errors if _expected(error) is None}
    for error in causes.values():
        log.error("unexpected error", path=error.path, exc_info=cause(error))


def _expected(error: GraphQLError) -> ErrorCode | None:
    """Say which code an error of the run has; None for a defect."""
    origin = cause(error)
    if isinstance(origin, JoblensError):
        return origin.code
    if isinstance(origin, RecursionError):
        return ErrorCode.BAD_USER_INPUT
    # graphql-core's own words on a variable whose value only the run could meet.
    if isinstance(origin, GraphQLError) and origin.message.startswith("Argument "):
        return ErrorCode.BAD_USER_INPUT
    return None
