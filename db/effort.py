"""What a filter asks of PostgreSQL: whether an index answers it, and whether one plan fits all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from operator import attrgetter
from typing import Any

from db.criteria import JobCriteria, JobEventCriteria, TextCriteria


class Effort(IntEnum):
    """The effort of a statement with a filter. That of a part is also that of the whole."""

    # One plan is good for all values of the filter.
    STEADY = 0
    # Indexes answer it, but which one is best depends on the values.
    VARYING = 1
    # It may read many jobs to find few.
    SCANNING = 2


# An index finds their values, or finds none.
_INDEXED = frozenset(
    {"type", "queue", "requested_by", "last_error_code", "idempotency_key", "worker", "batch"}
)
_STEADY = frozenset({"ids", "locations", "status", "job_ids"})
_VARYING = frozenset(
    {
        "error_group",
        "parent_id",
        "tags_are_common",
        "health",
        "created_at",
        "updated_at",
        "scheduled_at",
        "started_at",
        "finished_at",
        "ts",
        "next_status",
        "waiting_since",
        "running_since",
    }
)

# The names of the fields of criteria, and what gets their values.
_PARTS: Mapping[type, tuple[Sequence[str], Callable[[Any], Sequence[Any]]]] = {
    kind: (names, attrgetter(*names))
    for kind in (JobCriteria, JobEventCriteria)
    for names in [tuple(field.name for field in fields(kind))]
}


def effort_of(criteria: JobCriteria | JobEventCriteria | None) -> Effort:
    """Return the effort of the lists and counts of these jobs or events."""
    return max(_efforts(criteria), default=Effort.STEADY)


def _efforts(criteria: JobCriteria | JobEventCriteria | None) -> Iterator[Effort]:
    if criteria is None:
        return
    names, values_of = _PARTS[criteria.__class__]
    for name, value in zip(names, values_of(criteria), strict=True):
        if value is not None:
            yield from _effort(name, value)


def _effort(name: str, value: Any) -> Iterator[Effort]:
    if isinstance(value, TextCriteria):
        yield _text_effort(name, value)
    elif name in ("and_", "or_"):
        yield Effort.VARYING
        for each in value:
            yield from _efforts(each)
    elif name == "not_":
        yield Effort.VARYING
        yield from _efforts(value)
    elif name in _STEADY:
        yield Effort.STEADY
    else:
        yield Effort.VARYING if name in _VARYING else Effort.SCANNING


def _text_effort(name: str, criteria: TextCriteria) -> Effort:
    given = {
        each.name for each in fields(criteria) if getattr(criteria, each.name) not in (None, False)
    }
    if criteria.is_null is not None:
        given.add("is_null")
    if name not in _INDEXED or criteria.hides_credentials:
        return Effort.SCANNING
    if given <= {"eq"}:
        return Effort.STEADY
    return Effort.VARYING if given & {"eq", "in_"} else Effort.SCANNING
