"""Exporting: the ledger of one organisation as the lines that an import reads."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from db.statuses import JobStatus
from db.transfer.connections import connect

CHUNK_JOBS = 200
CHUNK_EVENTS = 2_000

# JSON's null and an error's empty text are written like no value at all, which an import makes of
# them anyway.
_JOBS = """
SELECT id, type, queue, status, priority, attempt, max_attempts, backoff_policy, idempotency_key,
    requested_by, nullif(payload, 'null')::text AS payload, nullif(result, 'null')::text AS result,
    nullif(last_error_code, '') AS last_error_code,
    nullif(last_error_message, '') AS last_error_message,
    created_at, scheduled_at, started_at, finished_at, event_seq
FROM job
WHERE org_id = $1
    AND (cardinality($2::text[]) = 0 OR status = ANY($2::text[]))
    AND ($3::timestamptz IS NULL OR created_at >= $3)
ORDER BY created_at, id
"""
_EVENTS = """
SELECT job_id, ts, prev_status, next_status, attempt, nullif(detail, 'null')::text AS detail
FROM job_event
WHERE org_id = $1 AND job_id = ANY($2::uuid[])
ORDER BY job_id, seq
"""
_JSON_FIELDS = frozenset({"payload", "result", "detail"})


async def export_records(
    url: str,
    org_id: UUID,
    *,
    statuses: Sequence[JobStatus] = (),
    since: datetime | None = None,
) -> AsyncIterator[bytes]:
    """Yield each job of an organisation as a line of JSON, the oldest first, ties by id.

    One snapshot of the ledger, read in chunks. `statuses` and `since` (with its offset; jobs
    created then or later) narrow it. `url` is a libpq URI whose login owns the tables. The same
    jobs give the same bytes: fields in a fixed order, times in UTC, no field that is null.
    """
    connection = await connect(url, "joblens export")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.cursor(_JOBS, org_id, [s.value for s in statuses], since)
            while rows := await cursor.fetch(CHUNK_JOBS):
                for jobs in _parts(rows):
                    for line in await _lines(connection, org_id, jobs):
                        yield line
    finally:
        await connection.close()


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Jobs in runs that have a bounded number of events together, or one job alone."""
    part: list[Any] = []
    events = 0
    for row in rows:
        if part and events + row["event_seq"] > CHUNK_EVENTS:
            yield part
            part, events = [], 0
        part.append(row)
        events += row["event_seq"]
    yield part


async def _lines(connection: Any, org_id: UUID, jobs: Sequence[Any]) -> list[bytes]:
    events: dict[UUID, list[dict[str, object]]] = {job["id"]: [] for job in jobs}
    for event in await connection.fetch(_EVENTS, org_id, list(events)):
        # The first has no status before it: the format shows that as null.
        first = {"ts": event["ts"], "prev_status": event["prev_status"]}
        events[event["job_id"]].append(first | _told(event, leave_out="job_id"))
    return [
        orjson.dumps(
            _told(job, leave_out="event_seq") | {"events": events[job["id"]]},
            default=str,  # the driver has a UUID class of its own
            option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
        )
        for job in jobs
    ]


def _told(row: Any, leave_out: str) -> dict[str, object]:
    return {
        name: orjson.Fragment(value) if name in _JSON_FIELDS else value
        for name, value in row.items()
        if value is not None and name != leave_out
    }
