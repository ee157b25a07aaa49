"""What may come in: refuses what db.validation finds fault with, naming the field of the input."""

from collections.abc import Mapping
from typing import Any

from db.error_texts import with_storable_errors
from db.validation import attempts_fault, document_fault, name_fault
from resolvers.mutation_results import InvalidInputError


def check_name(field: str, text: str | None) -> str | None:
    """Check the text of a short column; raise InvalidInputError, naming the field."""
    _refuse(field, name_fault(text))
    return text


def check_json(field: str, value: Any, max_bytes: int) -> Any:
    """Check a JSON column's value; raise InvalidInputError, naming the field."""
    _refuse(field, document_fault(value, max_bytes))
    return value


def check_object(field: str, value: Any, max_bytes: int) -> Mapping[str, Any]:
    """Check an event's detail, which must be an object, for keys of our own go into it too.

    The error in it is taken as it can be kept.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError(field, "It must be a JSON object.")
    checked: Mapping[str, Any] = check_json(field, with_storable_errors(value), max_bytes)
    return checked


def check_attempts(field: str, count: int) -> int:
    """Check how many times a job may be started; raise InvalidInputError, naming the field."""
    _refuse(field, attempts_fault(count))
    return count


def _refuse(field: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidInputError(field, fault)
