"""graphql-core's messages in the words of GraphQL, and any message at a bounded length.

graphql-core writes values as Python does, `None` and `True`, and parts of a document in full.
"""

from collections.abc import Collection
from importlib import import_module
from json import JSONEncoder
from typing import Any

from graphql import Node
from graphql.language.printer import print_for_error
from graphql.pyutils import inspect, suggestion_list

MAX_MESSAGE_CHARACTERS = 1_000
# Of what is cut, this much of the end stays: there a message says what to do.
MESSAGE_END = 200
MAX_VALUE_CHARACTERS = 100
# Not orjson: this one writes piece by piece.
_ENCODER = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_NOT_NONE, _NOT_NULL = "not to be None.", "not to be null."


def bounded(message: str) -> str:
    """Cut the middle out of a message that is too long: it repeats what a client wrote."""
    if len(message) <= MAX_MESSAGE_CHARACTERS:
        return message
    beginning = message[: MAX_MESSAGE_CHARACTERS - MESSAGE_END - 1]
    return f"{beginning}…{message[-MESSAGE_END:]}"


def reworded(message: str) -> str:
    """Put a message of graphql-core into our words."""
    if message.endswith(_NOT_NONE):
        message = message.removesuffix(_NOT_NONE) + _NOT_NULL
    return bounded(message)


def as_json(value: Any) -> str:
    """Write a value of a variable as clients wrote it; of a long one no more than its beginning."""
    if not isinstance(value, str | int | float | list | dict | None):
        return inspect(value)
    text = ""
    for part in _ENCODER.iterencode(value):
        text += part
        if len(text) > MAX_VALUE_CHARACTERS:
            break
    return _short(text)


def as_in_document(node: Node) -> str:
    """Write a part of a document as it stands there."""
    if node.loc is None:
        return print_for_error(node)
    return _short(node.loc.source.body[node.loc.start : node.loc.end])


def suggestions(name: str, options: Collection[str]) -> list[str]:
    """Find names that may have been meant: none by a text that is far longer than they are."""
    return suggestion_list(name, options) if len(name) <= MAX_VALUE_CHARACTERS else []


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


# Those that word what is wrong with a value; each has these functions under names of its own.
for _module in ("type.definition", "type.scalars", "utilities.validate_input_value"):
    vars(import_module(f"graphql.{_module}")).update(
        inspect=as_json, print_for_error=as_in_document, suggestion_list=suggestions
    )
