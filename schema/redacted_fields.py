"""Declarations of fields whose values may contain secrets and are redacted for the viewer."""

from typing import Any

import strawberry

from resolvers.attempts import as_text
from schema.execution.fields import leaf
from schema.scalars import JSON
from schema.selections import Info


def secret_json(attribute: str, description: str) -> Any:
    """Declare a field for a JSON column."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> JSON | None:  # noqa: ARG001
        return info.context.redact_json(getattr(parent, attribute))  # type: ignore[return-value]

    return leaf(description, {attribute}, unredacted=attribute)(resolve)


def secret_text(attribute: str, description: str) -> Any:
    """Declare a field for text."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> str | None:  # noqa: ARG001
        return info.context.redact_text(attribute, getattr(parent, attribute))

    return leaf(description, {attribute}, unredacted=attribute)(resolve)


def secret_json_text(attribute: str, description: str) -> Any:
    """Declare a text field for a value that is any JSON."""

    def resolve(self: Any, parent: strawberry.Parent[Any], info: Info) -> str | None:  # noqa: ARG001
        text = as_text(info.context.redact_json(getattr(parent, attribute)))
        return info.context.redact_text(attribute, text)

    return leaf(description, {attribute})(resolve)
