"""Fields whose values may hold secrets: what is hidden is decided here, whichever way they came."""

from typing import Any

import strawberry

from resolvers.attempts import in_words
from schema.scalars import JSON
from schema.selections import Info


def secret_json(attribute: str, description: str) -> Any:
    """Declare the field of a JSON column; see Context.shown_json."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> JSON | None:  # noqa: ARG001
        return info.context.shown_json(getattr(parent, attribute))  # type: ignore[return-value]

    return strawberry.field(resolver=resolve, description=description)


def secret_text(attribute: str, description: str) -> Any:
    """Declare the field of a message; see Context.shown_text."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> str | None:  # noqa: ARG001
        return info.context.shown_text(attribute, getattr(parent, attribute))

    return strawberry.field(resolver=resolve, description=description)


def secret_words(attribute: str, description: str) -> Any:
    """Declare the text of what is any JSON value."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> str | None:  # noqa: ARG001
        words = in_words(info.context.shown_json(getattr(parent, attribute)))
        return info.context.shown_text(attribute, words)

    return strawberry.field(resolver=resolve, description=description)
