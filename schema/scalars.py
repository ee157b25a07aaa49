"""The custom scalars. Their values leave as they are: the response encoder writes them out."""

import re
from datetime import UTC, datetime
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import Undefined, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import BadUserInputError

JSON = NewType("JSON", object)


_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_date_time(value: object) -> datetime:
    """Read an RFC 3339 time with its offset, as UTC; finer than microseconds is cut off."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise BadUserInputError(
            "A DateTime must be RFC 3339 text with an offset, such as '2026-01-31T09:30:00Z'."
        )
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadUserInputError(
            "A DateTime must exist in the calendar, in the years 1 to 9999."
        ) from None


def take_json(value: Any) -> Any:
    """Take a variable's value as it was read; where it is used, it is checked."""
    return value


def parse_json(literal: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Read a literal.

    A variable that was left out is left out of an object and null in a list, as in input objects.
    """
    return _without_gaps(value_from_ast_untyped(literal, variables))


def _without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        given = ((key, item) for key, item in value.items() if item is not Undefined)
        return {key: _without_gaps(item) for key, item in given}
    if isinstance(value, list):
        return [None if item is Undefined else _without_gaps(item) for item in value]
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as RFC 3339 text: in answers in UTC, in questions with any offset.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        parse_value=parse_date_time,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A universally unique identifier, as RFC 9562 writes it.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value: an object, a list, text, a number, true, false or null.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        parse_value=take_json,
        parse_literal=parse_json,
    ),
}
