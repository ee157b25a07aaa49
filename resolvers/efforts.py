"""The effort of a read by the filter among its arguments, and what makes a filter easier."""

from collections.abc import Iterable

from db.criteria import (
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    MessagePart,
    SearchCriteria,
    Tags,
)
from db.effort import Effort, effort_of
from db.queries.values import TextColumn


def effort_of_any(arguments: Iterable[object]) -> Effort:
    """Return the effort of a read with these arguments."""
    return max(map(_effort, arguments), default=Effort.STEADY)


def filters_to_add(arguments: Iterable[object]) -> list[str]:
    """Return the filters that bound what a read with these arguments has to look at."""
    of_events = any(isinstance(each, JobEventCriteria) for each in arguments)
    return ["ts", "jobIds"] if of_events else ["createdAt", "ids"]


def _effort(argument: object) -> Effort:
    if isinstance(argument, JobCriteria | JobEventCriteria):
        return effort_of(argument)
    if isinstance(argument, JsonContainment | MessagePart | SearchCriteria | Tags):
        return Effort.SCANNING
    # How many jobs have a value differs from organisation to organisation.
    return Effort.VARYING if isinstance(argument, TextColumn) else Effort.STEADY
