"""The errors that ended runs, by group: read from the events, without sums."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select

from db.error_groups.fingerprints import MAX_READ, Fingerprint, fingerprint_of
from db.tables import job_table

# The statuses of the events in idx_job_event_org_status.
_ENDS: list[ColumnElement[str]] = [
    literal_column(f"'{status}'") for status in ("failed", "canceled", "dead_letter")
]

Columns = Any
Condition = ColumnElement[bool]


@dataclass(slots=True)
class Occurrences:
    """How often, when and in which types of jobs the errors of a group occurred."""

    fingerprint: Fingerprint
    events: int
    first_seen_at: datetime
    last_seen_at: datetime
    types: set[str] = field(default_factory=set)
    hours: Counter[datetime] = field(default_factory=Counter)

    def add(self, row: Any) -> None:
        """Add the events of a row of `occurrences`."""
        self.events += row.events
        self.first_seen_at = min(self.first_seen_at, row.first)
        self.last_seen_at = max(self.last_seen_at, row.last)
        self.types.add(row.type)
        self.hours[row.hour] += row.events


def occurrences(
    org_id: UUID | ColumnElement[Any], event: Columns, *conditions: Any
) -> Select[*tuple[Any, ...]]:
    """Count the events that end a job with an error: by error, type of job and hour."""
    job = job_table.c
    code = event.detail["error_code"].astext.label("error_code")
    message = func.left(event.detail["error_message"].astext, literal_column(str(MAX_READ)))
    groups = (
        code,
        message.label("error_message"),
        job.type,
        func.date_trunc(literal_column("'hour'"), event.ts).label("hour"),
    )
    return (
        select(
            *groups,
            func.count().label("events"),
            func.min(event.ts).label("first"),
            func.max(event.ts).label("last"),
        )
        .where(
            event.org_id == org_id,
            job.org_id == org_id,
            job.id == event.job_id,
            event.next_status.in_(_ENDS),
            event.prev_status.is_distinct_from(event.next_status),
            or_(
                event.detail.has_key(literal_column("'error_code'")),
                event.detail.has_key(literal_column("'error_message'")),
            ),
            # An infinite time is in no span.
            func.isfinite(event.ts),
            *conditions,
        )
        .group_by(*groups)
    )


def by_group(rows: Iterable[Any]) -> dict[UUID, Occurrences]:
    """Put the errors of one fingerprint together."""
    found: dict[UUID, Occurrences] = {}
    for row in rows:
        fingerprint = fingerprint_of(row.error_code, row.error_message)
        if fingerprint is not None:
            own = found.setdefault(fingerprint.id, Occurrences(fingerprint, 0, row.first, row.last))
            own.add(row)
    return found
