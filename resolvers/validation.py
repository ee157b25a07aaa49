"""Validation of mutation inputs by the rules of db.validation.

Each function returns the checked value, or raises InvalidInputError with the name of the field.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from db.error_texts import with_storable_errors
from db.progress import Progress
from db.validation import attempts_fault, document_fault, name_fault, tags_fault
from resolvers.mutation_results import InvalidInputError


def check_name(field: str, text: str | None) -> str | None:
    """Check the text of a short column."""
    _raise_if_invalid(field, name_fault(text))
    return text


def check_tags(field: str, tags: Sequence[str]) -> None:
    """Check the tags of a job."""
    _raise_if_invalid(field, tags_fault(tags))


def check_json(field: str, value: Any, max_bytes: int) -> Any:
    """Check the value of a JSON column, which may have `max_bytes`."""
    _raise_if_invalid(field, document_fault(value, max_bytes))
    return value


def check_object(field: str, value: Any, max_bytes: int) -> Mapping[str, Any]:
    """Check the detail of an event, which must be an object: Joblens adds keys to it.

    Its error is truncated and cleaned so that it can be stored. None becomes an empty object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError(field, "It must be a JSON object.")
    checked: Mapping[str, Any] = check_json(field, with_storable_errors(value), max_bytes)
    return checked


def check_event(detail: Any, progress: Progress | None) -> None:
    """Check that an event has a detail or progress, and that its progress is valid."""
    tells = detail is not None or progress is not None
    _raise_if_invalid("detail", None if tells else "It is required without progress.")
    for name, fault in ({} if progress is None else progress.faults).items():
        _raise_if_invalid(f"progress.{name}", fault)


def check_attempts(field: str, count: int) -> int:
    """Check how many times a job may be started."""
    _raise_if_invalid(field, attempts_fault(count))
    return count


def _raise_if_invalid(field: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidInputError(field, fault)
