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
    # Looked up by its key for each event: in a join PostgreSQL, which cannot know how few events
    # are wanted, may read them again for each job.
    own_type = select(job_table.c.type).where(
        job_table.c.org_id == org_id, job_table.c.id == event.job_id
    )
    message = func.left(event.detail["error_message"].astext, literal_column(str(MAX_READ)))
    errors = (
        select(
            event.detail["error_code"].astext.label("error_code"),
            message.label("error_message"),
            own_type.scalar_subquery().label("type"),
            event.ts,
        )
        .where(
            event.org_id == org_id,
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
        .subquery("errors")
        .c
    )
    hour = func.date_trunc(literal_column("'hour'"), errors.ts).label("hour")
    groups = errors.error_code, errors.error_message, errors.type, hour
    return select(
        *groups,
        func.count().label("events"),
        func.min(errors.ts).label("first"),
        func.max(errors.ts).label("last"),
    ).group_by(*groups)


def by_group(rows: Iterable[Any]) -> dict[UUID, Occurrences]:
    """Put the errors of one fingerprint together."""
    found: dict[UUID, Occurrences] = {}
    for row in rows:
        fingerprint = fingerprint_of(row.error_code, row.error_message)
        if fingerprint is not None:
            own = found.setdefault(fingerprint.id, Occurrences(fingerprint, 0, row.first, row.last))
            own.add(row)
    return found
