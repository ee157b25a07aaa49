"""Errors in the words and the form in which clients get them."""

from typing import Any

from graphql import GraphQLError

from db.error_texts import storable
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_wording import bounded, reworded


def cause(error: GraphQLError) -> Exception:
    """Find what an error of graphql-core came from, itself if from nothing else."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def in_words(error: GraphQLError, code: ErrorCode) -> dict[str, Any]:
    """Format an error of graphql-core; `code` is that of one that has none of its own."""
    origin = cause(error)
    details = {}
    if isinstance(origin, JoblensError):
        code, details = origin.code, origin.details
    # Words of the client may be among them, such as no answer can be written with.
    message = reworded(storable(error.message))
    told: dict[str, Any] = {**error.formatted, "message": message}
    return told | {"extensions": {"code": code.value, **details}}


def formatted(error: JoblensError) -> dict[str, Any]:
    """Format an error of ours."""
    extensions = {"code": error.code.value, **error.details}
    return {"message": bounded(error.message), "extensions": extensions}
