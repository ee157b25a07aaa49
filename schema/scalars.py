"""The custom scalars. Their values leave as they are: the response encoder writes them out."""

from datetime import datetime
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import (
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    value_from_ast_untyped,
)
from strawberry.types.scalar import ScalarDefinition

from db.json_values import decode
from db.times import NoSuchTimeError, parse_time
from resolvers.errors import BadUserInputError

JSON = NewType("JSON", object)


def parse_date_time(value: object) -> datetime:
    """Read an RFC 3339 time with its offset, as UTC; finer than microseconds is cut off."""
    try:
        return parse_time(value)
    except NoSuchTimeError:
        raise BadUserInputError(
            "A DateTime must exist in the calendar, in the years 1 to 9999 of UTC."
        ) from None
    except ValueError:
        raise BadUserInputError(
            "A DateTime must be RFC 3339 text with an offset, such as '2026-01-31T09:30:00Z'."
        ) from None


def take_json(value: Any) -> Any:
    """Take a variable's value as it was read; where it is used, it is checked."""
    return value


def parse_json(node: ValueNode, variables: Any = None) -> Any:
    """Take any value of a document as JSON, with every digit of its numbers.

    A variable that was left out is left out of an object and null in a list, as in input objects.
    """
    match node:
        case IntValueNode() | FloatValueNode():
            return decode(node.value)
        case ListValueNode():
            items = (parse_json(item, variables) for item in node.values)
            return [None if item is Undefined else item for item in items]
        case ObjectValueNode():
            fields = ((f.name.value, parse_json(f.value, variables)) for f in node.fields)
            return {name: value for name, value in fields if value is not Undefined}
    return value_from_ast_untyped(node, variables)


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
