"""The custom scalars. Output values stay Python objects until the response is encoded."""

from datetime import datetime
from typing import Any, NewType
from uuid import UUID

import orjson
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
    """Parse an RFC 3339 time with an offset to UTC, truncated to microseconds.

    Raises BadUserInputError.
    """
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
    """Return a variable's value unchanged; it is checked where it is used."""
    return value


def parse_json(node: ValueNode, variables: Any = None) -> Any:
    """Convert a literal of a document to JSON, with every digit of its numbers.

    An omitted variable is omitted from an object and null in a list, as in input objects.
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
        description="An RFC 3339 date and time: in UTC in responses, with any offset in inputs.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        parse_value=parse_date_time,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A universally unique identifier in the text form of RFC 9562.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value: object, array, string, number, true, false or null.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        # Values come as JSON text, from columns.
        serialize=orjson.Fragment,
        parse_value=take_json,
        parse_literal=parse_json,
    ),
}
