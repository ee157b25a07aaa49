"""Exports the jobs of one organisation as the lines that an import reads."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from db.connections import open_cursor, owner_transaction
from db.statuses import JobStatus
from db.tables import job_table
from db.transfer.connections import connect
from db.transfer.records import JobRecord

CHUNK_JOBS = 200
CHUNK_EVENTS = 2_000

_JSON_FIELDS = frozenset({"payload", "result", "detail", "tags"})
_ERROR_FIELDS = frozenset({"last_error_code", "last_error_message"})


def _column(name: str) -> str:
    """Write the SQL of a column. JSON null and empty error texts are left out, as in imports."""
    if name in _JSON_FIELDS:
        return f"nullif({name}, 'null')::text AS {name}"
    return f"nullif({name}, '') AS {name}" if name in _ERROR_FIELDS else name


_JOB_FIELDS = [name for name in JobRecord.model_fields if name in job_table.c]
_JOBS = f"""
SELECT {", ".join(map(_column, _JOB_FIELDS))}, event_seq
FROM job
WHERE org_id = $1
    AND (cardinality($2::text[]) = 0 OR status = ANY($2::text[]))
    AND ($3::timestamptz IS NULL OR created_at >= $3)
ORDER BY created_at, id
"""  # noqa: S608 - column names of this package
_EVENTS = """
SELECT job_id, ts, prev_status, next_status, attempt, nullif(detail, 'null')::text AS detail
FROM job_event
WHERE org_id = $1 AND job_id = ANY($2::uuid[])
ORDER BY job_id, seq
"""


async def export_records(
    url: str,
    org_id: UUID,
    *,
    statuses: Sequence[JobStatus] = (),
    since: datetime | None = None,
) -> AsyncIterator[bytes]:
    """Yield each job of an organisation as a line of JSON, oldest first, then by id.

    All jobs come from one snapshot, read in chunks. `statuses` and `since` (a time with an offset;
    jobs created then or later) filter them. `url` is a libpq URI whose login owns the tables. The
    same jobs give the same bytes: fixed order of fields, times in UTC, no null fields.
    """
    connection = await connect(url, "joblens export")
    try:
        async with owner_transaction(connection, isolation="repeatable_read", readonly=True):
            given = [status.value for status in statuses]
            cursor = await open_cursor(connection, _JOBS, org_id, given, since)
            while rows := await cursor.fetch(CHUNK_JOBS):
                for jobs in _chunks(rows):
                    for line in await _lines(connection, org_id, jobs):
                        yield line
    finally:
        await connection.close()


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Split jobs into chunks with a limited number of events, or of one job."""
    chunk: list[Any] = []
    events = 0
    for row in rows:
        if chunk and events + row["event_seq"] > CHUNK_EVENTS:
            yield chunk
            chunk, events = [], 0
        chunk.append(row)
        events += row["event_seq"]
    yield chunk


async def _lines(connection: Any, org_id: UUID, jobs: Sequence[Any]) -> list[bytes]:
    events: dict[UUID, list[dict[str, object]]] = {job["id"]: [] for job in jobs}
    for event in await connection.fetch(_EVENTS, org_id, list(events)):
        # The first event has no previous status, which the format shows as null.
        first = {"ts": event["ts"], "prev_status": event["prev_status"]}
        events[event["job_id"]].append(first | _fields(event, leave_out="job_id"))
    return [
        orjson.dumps(
            _fields(job, leave_out="event_seq") | {"events": events[job["id"]]},
            default=str,  # for the driver's UUID class
            option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
        )
        for job in jobs
    ]


def _fields(row: Any, leave_out: str) -> dict[str, object]:
    return {
        name: orjson.Fragment(value) if name in _JSON_FIELDS else value
        for name, value in row.items()
        if value is not None and name != leave_out
    }
