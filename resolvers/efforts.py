"""The effort of a read by its arguments, and what makes a filter among them easier."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from db.criteria import (
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    MessagePart,
    SearchCriteria,
    Tags,
)
from db.effort import Effort, effort_of
from db.queries.keyset import Window
from db.queries.values import TextColumn

# Classes of most arguments.
_NO_FILTERS = frozenset({type(None), bool, frozenset, Window})


def effort_of_any(arguments: Iterable[object]) -> Effort:
    """Return the effort of a read with these arguments."""
    return max(map(_effort, arguments), default=Effort.STEADY)


def filters_to_add(arguments: Iterable[object]) -> list[str]:
    """Return the filters that bound what a read with these arguments has to look at."""
    of_events = any(isinstance(each, JobEventCriteria) for each in arguments)
    return ["ts", "jobIds"] if of_events else ["createdAt", "ids"]


def _effort(argument: object) -> Effort:
    if argument.__class__ in _NO_FILTERS:
        return Effort.STEADY
    if isinstance(argument, JobCriteria | JobEventCriteria):
        return effort_of(argument)
    if isinstance(argument, JsonContainment | MessagePart | SearchCriteria | Tags):
        return Effort.SCANNING
    # How many jobs have a value, or have changed since a time, differs between organisations.
    is_varying = isinstance(argument, TextColumn | datetime) or _are_times(argument)
    return Effort.VARYING if is_varying else Effort.STEADY


def _are_times(argument: object) -> bool:
    return isinstance(argument, Sequence) and isinstance(next(iter(argument), None), datetime)
