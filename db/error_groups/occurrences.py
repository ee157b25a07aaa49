"""The errors that ended runs: read from the events, without sums, one by one or by group."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal_column, or_, select

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
    """How often, when and in which types of jobs the errors of a group occurred.

    `first_xid`: the smallest id of a transaction that wrote one; None if one is not known.
    """

    fingerprint: Fingerprint
    events: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_xid: int | None
    types: set[str] = field(default_factory=set)
    hours: Counter[datetime] = field(default_factory=Counter)

    def add(self, row: Any) -> None:
        """Add the events of a row of `occurrences` or `single_occurrences`."""
        self.events += row.events
        self.first_xid = smaller_xid(self.first_xid, row.first_xid)
        self.first_seen_at = min(self.first_seen_at, row.first)
        self.last_seen_at = max(self.last_seen_at, row.last)
        self.types.add(row.type)
        self.hours[row.hour] += row.events


def smaller_xid(one: int | None, other: int | None) -> int | None:
    """Return the smaller of two ids of transactions; None if one is not known."""
    return None if one is None or other is None else min(one, other)


def occurrences(
    org_id: UUID | ColumnElement[Any], event: Columns, *conditions: Any, are_few: bool = False
) -> Select[*tuple[Any, ...]]:
    """Count the events that end a run with an error: by error, type of job and hour.

    `are_few`: whether few events meet the conditions, by another index than that of the statuses.
    """
    errors = _errors(org_id, event, *conditions, are_few=are_few).subquery("errors").c
    groups = errors.error_code, errors.error_message, errors.type, _hour(errors.ts)
    all_known = func.count(errors.xid) == func.count()
    return select(
        *groups,
        func.count().label("events"),
        func.min(errors.ts).label("first"),
        func.max(errors.ts).label("last"),
        case((all_known, func.min(errors.xid))).label("first_xid"),
    ).group_by(*groups)


def single_occurrences(
    org_id: UUID | ColumnElement[Any], event: Columns, *conditions: Any
) -> Select[*tuple[Any, ...]]:
    """Select the events that end a run with an error: each as `occurrences` does, with its key."""
    errors = _errors(org_id, event, *conditions, are_few=True).subquery("errors").c
    return select(
        errors.job_id,
        errors.seq,
        errors.error_code,
        errors.error_message,
        errors.type,
        _hour(errors.ts),
        literal_column("1").label("events"),
        errors.ts.label("first"),
        errors.ts.label("last"),
        errors.xid.label("first_xid"),
    )


def _errors(
    org_id: UUID | ColumnElement[Any], event: Columns, *conditions: Any, are_few: bool
) -> Select[*tuple[Any, ...]]:
    # Looked up by its key for each event: in a join PostgreSQL, which cannot know how few events
    # are wanted, may read them again for each job.
    own_type = select(job_table.c.type).where(
        job_table.c.org_id == org_id, job_table.c.id == event.job_id
    )
    # A plan for any parameters would take the index of the statuses, which has all errors.
    status = func.concat(event.next_status) if are_few else event.next_status
    message = func.left(event.detail["error_message"].astext, literal_column(str(MAX_READ)))
    return select(
        event.detail["error_code"].astext.label("error_code"),
        message.label("error_message"),
        own_type.scalar_subquery().label("type"),
        event.ts,
        event.job_id,
        event.seq,
        event.xid,
    ).where(
        event.org_id == org_id,
        status.in_(_ENDS),
        event.prev_status.is_distinct_from(event.next_status),
        or_(
            event.detail.has_key(literal_column("'error_code'")),
            event.detail.has_key(literal_column("'error_message'")),
        ),
        # An infinite time is in no span.
        func.isfinite(event.ts),
        *conditions,
    )


def _hour(time: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_trunc(literal_column("'hour'"), time).label("hour")


def by_group(rows: Iterable[Any]) -> dict[UUID, Occurrences]:
    """Put the errors of one fingerprint together."""
    found: dict[UUID, Occurrences] = {}
    for row in rows:
        fingerprint = fingerprint_of(row.error_code, row.error_message)
        if fingerprint is not None:
            none = Occurrences(fingerprint, 0, row.first, row.last, row.first_xid)
            found.setdefault(fingerprint.id, none).add(row)
    return found
