"""Adds the errors of events to their groups, and gives groups to older jobs."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.error_groups.fingerprints import MAX_READ, fingerprint_of
from db.error_groups.occurrences import Occurrences, by_group, occurrences
from db.tables import error_group_table, job_event_table, job_table
from db.tallies.spans import Span
from db.tallies.typed_sql import typed_sql

# The groups of an organisation. Errors beyond them have none.
MAX_GROUPS = 2_000
# The types of jobs that a group names.
MAX_TYPES = 20
# How many older jobs a transaction gives groups.
GROUPED_AT_ONCE = 5_000

# Named as in the conditions of db.tallies.statements.
_EVENT = job_event_table.alias("event").c

_ADD_GROUP = typed_sql(f"""
INSERT INTO error_group AS kept
    (org_id, id, code, message, types, events, first_seen_at, last_seen_at, first_xid)
VALUES (:org_id, :id, :code, :message, :types, :events, :first, :last, :first_xid)
ON CONFLICT (org_id, id) DO UPDATE SET
    events = kept.events + excluded.events,
    first_seen_at = least(kept.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at),
    -- Of a null and an id, least() would be the id.
    first_xid = CASE WHEN kept.first_xid IS NOT NULL AND excluded.first_xid IS NOT NULL
        THEN least(kept.first_xid, excluded.first_xid) END,
    types = ARRAY(
        SELECT DISTINCT name FROM unnest(kept.types || excluded.types) AS name
        ORDER BY name LIMIT {MAX_TYPES}
    )
""")  # noqa: S608 - a number of this module
_ADD_EVENTS = typed_sql("""
INSERT INTO error_tally AS kept (org_id, error_group, span, start, events)
SELECT :org_id, * FROM unnest(
    CAST(:ids AS uuid[]), CAST(:spans AS smallint[]), CAST(:starts AS timestamptz[]),
    CAST(:counts AS bigint[])
)
ON CONFLICT (org_id, error_group, span, start) DO UPDATE SET events = kept.events + excluded.events
""")
_SET_GROUPS = typed_sql("""
UPDATE job SET error_group = given.error_group
FROM unnest(CAST(:job_ids AS uuid[]), CAST(:ids AS uuid[])) AS given (id, error_group)
WHERE job.org_id = :org_id AND job.id = given.id
""")


async def add_errors(
    session: AsyncSession, which: str, given: dict[str, Any], *, sign: int = 1
) -> None:
    """Add the errors of events to their groups; `which` and `given` as in db.tallies.summing.add.

    Of the organisation's groups beyond MAX_GROUPS none is added. `sign`: -1 takes them out again;
    their groups stay.
    """
    org_id = given["org_id"]
    rows = await session.execute(occurrences(org_id, _EVENT, typed_sql(which)), given)
    found = by_group(rows)
    if not found:
        return
    own = error_group_table.c.id
    known = await session.execute(select(own).where(error_group_table.c.org_id == org_id))
    room = MAX_GROUPS if sign > 0 else 0
    chosen = list(_affordable(found, set(known.scalars()), room))
    if chosen:
        await session.execute(_ADD_GROUP, [_group(org_id, each, sign) for each in chosen])
        await session.execute(_ADD_EVENTS, {"org_id": org_id, **_columns(chosen, sign)})


def _affordable(
    found: dict[UUID, Occurrences], known: Collection[UUID], most: int
) -> Iterator[Occurrences]:
    room = most - len(known)
    # In one order, in which concurrent transactions lock them.
    for group_id in sorted(found):
        room -= group_id not in known
        if group_id in known or room >= 0:
            yield found[group_id]


def _group(org_id: UUID, found: Occurrences, sign: int) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "id": found.fingerprint.id,
        "code": found.fingerprint.code,
        "message": found.fingerprint.message,
        "types": sorted(found.types)[:MAX_TYPES],
        "events": sign * found.events,
        "first": found.first_seen_at,
        "last": found.last_seen_at,
        "first_xid": found.first_xid,
    }


def _columns(chosen: Collection[Occurrences], sign: int) -> dict[str, list[Any]]:
    counts: Counter[tuple[UUID, int, datetime]] = Counter()
    for found in chosen:
        for hour, number in found.hours.items():
            events = sign * number
            counts[found.fingerprint.id, int(Span.HOUR), hour] += events
            counts[found.fingerprint.id, int(Span.DAY), hour.replace(hour=0)] += events
    ids, spans, starts = map(list, zip(*counts, strict=True))
    return {"ids": ids, "spans": spans, "starts": starts, "counts": list(counts.values())}


async def group_older_jobs(session: AsyncSession, org_id: UUID) -> bool:
    """Give groups to jobs whose errors are older than these; return whether some had none."""
    rows = (await session.execute(_ungrouped(org_id))).all()
    if rows:
        ids = [_group_id(row) for row in rows]
        given = {"org_id": org_id, "job_ids": [row.id for row in rows], "ids": ids}
        await session.execute(_SET_GROUPS, given)
    return bool(rows)


def _ungrouped(org_id: UUID) -> Any:
    job = job_table.c
    message = func.left(job.last_error_message, literal_column(str(MAX_READ)))
    # The condition of the index.
    without_group = text(
        "error_group IS NULL AND (last_error_code IS NOT NULL OR last_error_message IS NOT NULL)"
    )
    return (
        select(job.id, job.last_error_code, message.label("last_error_message"))
        .where(job.org_id == org_id, without_group)
        .order_by(job.id)
        .limit(GROUPED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )


def _group_id(row: Row[Any]) -> UUID:
    found = fingerprint_of(row.last_error_code, row.last_error_message)
    assert found is not None
    return found.id
