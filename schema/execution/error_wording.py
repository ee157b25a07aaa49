"""Rewords graphql-core's messages as GraphQL writes values, and bounds the length of messages.

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
# How much of the end of a shortened message is kept: it often says what to do.
MESSAGE_END = 200
MAX_VALUE_CHARACTERS = 100
# Not orjson: this encoder is incremental.
_ENCODER = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_NOT_NONE, _NOT_NULL = "not to be None.", "not to be null."


def bounded(message: str) -> str:
    """Shorten a long message in its middle: it quotes what a client sent."""
    if len(message) <= MAX_MESSAGE_CHARACTERS:
        return message
    beginning = message[: MAX_MESSAGE_CHARACTERS - MESSAGE_END - 1]
    return f"{beginning}…{message[-MESSAGE_END:]}"


def reworded(message: str) -> str:
    """Reword a message of graphql-core."""
    if message.endswith(_NOT_NONE):
        message = message.removesuffix(_NOT_NONE) + _NOT_NULL
    return bounded(message)


def as_json(value: Any) -> str:
    """Write a variable's value as JSON, shortened."""
    if not isinstance(value, str | int | float | list | dict | None):
        return inspect(value)
    text = ""
    for part in _ENCODER.iterencode(value):
        text += part
        if len(text) > MAX_VALUE_CHARACTERS:
            break
    return _short(text)


def as_in_document(node: Node) -> str:
    """Get the source text of a node, shortened."""
    if node.loc is None:
        return print_for_error(node)
    return _short(node.loc.source.body[node.loc.start : node.loc.end])


def suggestions(name: str, options: Collection[str]) -> list[str]:
    """Suggest similar names; none for a text that is much longer than names are."""
    return suggestion_list(name, options) if len(name) <= MAX_VALUE_CHARACTERS else []


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


# The modules that describe invalid values; each imports these functions by name.
for _module in ("type.definition", "type.scalars", "utilities.validate_input_value"):
    vars(import_module(f"graphql.{_module}")).update(
        inspect=as_json, print_for_error=as_in_document, suggestion_list=suggestions
    )
