"""When what the log has of a job happened: at the commit, if the rows have no time of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from db.facts import Fact
from db.statuses import JobStatus
from mirror.adapters.history import NOT_KEPT

# What can follow a status within one attempt.
_RANKS = {
    JobStatus.RUNNING: 1,
    JobStatus.FAILED: 2,
    JobStatus.SUCCEEDED: 3,
    JobStatus.CANCELED: 3,
    JobStatus.DEAD_LETTER: 3,
    JobStatus.QUEUED: 4,
}
State = tuple[JobStatus, int]


def dated(facts: Sequence[Fact], before: State | None, ts: datetime) -> list[Fact]:
    """Date what the last change of a job reported: it happened when that was committed.

    `before`: how the job was until then.
    """
    made = list(facts)
    for index in range(len(made) - 1, -1, -1):
        fact = made[index]
        if before is None or is_known(fact, before) or NOT_KEPT in (fact.detail or {}):
            break
        if not fact.is_exact:
            detail = {name: value for name, value in (fact.detail or {}).items() if name != "ts_of"}
            made[index] = replace(fact, ts=ts, is_exact=True, detail=detail or None)
        if fact.status is JobStatus.RUNNING:
            break
    return made


def is_known(fact: Fact, before: State) -> bool:
    """Return whether a job that was so had this fact already."""
    status, attempt = before
    own = fact.attempt or 0
    return own < attempt or (own == attempt and _RANKS[fact.status] <= _RANKS[status])
