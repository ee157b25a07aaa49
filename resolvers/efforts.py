"""The effort of a read by the filter among its arguments, and what makes a filter easier."""

from collections.abc import Iterable, Iterator

from db.criteria import JobCriteria, JobEventCriteria, JsonContainment
from db.effort import Effort, effort_of


def effort_of_any(arguments: Iterable[object]) -> Effort:
    """Return the effort of a read with these arguments."""
    arguments = list(arguments)
    if any(isinstance(each, JsonContainment) for each in arguments):
        return Effort.SCANNING
    return max(map(effort_of, _criteria(arguments)), default=Effort.STEADY)


def filters_to_add(arguments: Iterable[object]) -> list[str]:
    """Return the filters that bound what a read with these arguments has to look at."""
    of_events = any(isinstance(each, JobEventCriteria) for each in arguments)
    return ["ts", "jobIds"] if of_events else ["createdAt", "ids"]


def _criteria(arguments: Iterable[object]) -> Iterator[JobCriteria | JobEventCriteria]:
    return (each for each in arguments if isinstance(each, JobCriteria | JobEventCriteria))
