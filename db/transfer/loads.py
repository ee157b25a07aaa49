"""Writes a batch of histories in one transaction with COPY.

Jobs are copied to a temporary table first, to find those that exist: one for each transaction, as
a pooler may give the next one another server connection. Events are copied directly to
`job_event`: all of new jobs, and the later ones of existing jobs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.commands.notifications import CHANNEL
from db.connections import owner_transaction
from db.times import FIRST, LAST
from db.transfer.ancestry import find_circular
from db.transfer.histories import EventValues, History, JobValues

_VALUES: Sequence[str] = JobValues._fields
_JOB_COLUMNS = ("org_id", "id", *_VALUES)
_EVENT_COLUMNS = ("org_id", "job_id", "seq", *EventValues._fields)
_COLUMN_LIST = ", ".join(_JOB_COLUMNS)

# Qualified with pg_temp, so that the search path does not matter.
_STAGE = """
CREATE TEMPORARY TABLE staged_job (LIKE job, line bigint NOT NULL) ON COMMIT DROP
"""
# In the order of lines: the first record with an idempotency key gets it.
_INSERT_JOBS = f"""
INSERT INTO job ({_COLUMN_LIST})
SELECT {_COLUMN_LIST} FROM pg_temp.staged_job ORDER BY line
ON CONFLICT DO NOTHING
RETURNING id
"""  # noqa: S608 - column names of this module
# Locked, so that no events are added between the comparison and the update.
_LOCK_IDS = """
SELECT id, source_id IS NOT NULL AS is_read_only FROM job
WHERE org_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
"""
# The last event of each job, and the first that differs from the record. Times out of range are
# compared as an export writes them.
_COMPARE = """
SELECT event.job_id, max(event.seq) AS last,
    min(event.seq) FILTER (WHERE given.seq IS NOT NULL AND (
    least(greatest(event.ts, $9), $10), event.prev_status, event.next_status, event.attempt,
    nullif(event.detail, 'null')
) IS DISTINCT FROM (
    given.ts, given.prev_status, given.next_status, given.attempt, given.detail
)) AS differing
FROM job_event event LEFT JOIN unnest(
    $2::uuid[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[], $8::jsonb[]
) AS given (job_id, seq, ts, prev_status, next_status, attempt, detail)
    ON event.job_id = given.job_id AND event.seq = given.seq
WHERE event.org_id = $1 AND event.job_id = ANY($2::uuid[])
GROUP BY event.job_id
"""
_UPDATE = f"""
UPDATE job SET {", ".join(f"{name} = ${n}" for n, name in enumerate(_VALUES, 3))}
WHERE org_id = $1 AND id = $2
"""  # noqa: S608 - as above
_FORGET_MOVED = """
DELETE FROM tally_state WHERE org_id = $1 AND EXISTS (
    SELECT FROM unnest($2::uuid[], $3::text[], $4::text[]) AS given (id, type, queue)
    JOIN job ON job.org_id = $1 AND job.id = given.id
    WHERE (job.type, job.queue) <> (given.type, given.queue)
)
"""
_FIND_KEYS = """
SELECT idempotency_key, id FROM job WHERE org_id = $1 AND idempotency_key = ANY($2::text[])
"""
_CIRCULAR = "parent_id: is the job itself, or a descendant of it"
_READ_ONLY = "id: the existing job is of a source, whose facts alone change it"
# Errors that the data of a record can cause; any other error ends the import.
_RECORD_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


@dataclass(slots=True)
class Candidate:
    """A parsed line. `digest` is set if the record has no id.

    `created_at` is the record's value, which ids without one are derived from.
    """

    line_number: int
    line: bytes
    history: History
    id: UUID
    digest: bytes | None
    created_at: datetime

    @property
    def parent_id(self) -> UUID | None:
        parent_id: UUID | None = self.history.job.parent_id
        return parent_id


@dataclass(slots=True)
class LoadResult:
    """What happened to each candidate."""

    imported: list[Candidate] = field(default_factory=list)
    updated: list[Candidate] = field(default_factory=list)
    unchanged: list[Candidate] = field(default_factory=list)
    rejected: list[tuple[Candidate, str]] = field(default_factory=list)


async def load(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
    result: LoadResult,
) -> None:
    """Write the candidates and add each to `result`.

    One transaction, or several if ids repeat or the database rejects a record.
    """
    left = list(candidates)
    while left:
        first = {candidate.id: candidate for candidate in reversed(left)}
        await _load_distinct(connection, org_id, [c for c in left if first[c.id] is c], result)
        rejected = {candidate.id for candidate, _ in result.rejected}
        repeats = [c for c in left if first[c.id] is not c]
        left = []
        for repeat in repeats:
            is_same = repeat.id not in rejected and repeat.history == first[repeat.id].history
            (result.unchanged if is_same else left).append(repeat)


async def _load_distinct(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
    result: LoadResult,
) -> None:
    """Write candidates with distinct ids; find rejected ones by bisecting the batch."""
    if not candidates:
        return
    try:
        written = await _write(connection, org_id, candidates)
    except _RECORD_ERRORS:
        if len(candidates) == 1:
            result.rejected.append((candidates[0], "the database does not accept this record"))
            return
        middle = len(candidates) // 2
        await _load_distinct(connection, org_id, candidates[:middle], result)
        await _load_distinct(connection, org_id, candidates[middle:], result)
    else:
        result.imported += written.imported
        result.updated += written.updated
        result.unchanged += written.unchanged
        result.rejected += written.rejected


async def _write(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
) -> LoadResult:
    async with owner_transaction(connection, isolation="read_committed"):
        circular = await find_circular(connection, org_id, candidates)
        refused = [(c, _CIRCULAR) for c in candidates if c.id in circular]
        candidates = [c for c in candidates if c.id not in circular]
        await connection.execute(_STAGE)
        await connection.copy_records_to_table(
            "staged_job",
            schema_name="pg_temp",
            columns=(*_JOB_COLUMNS, "line"),
            records=[(org_id, c.id, *c.history.job, c.line_number) for c in candidates],
        )
        inserted = {row["id"] for row in await connection.fetch(_INSERT_JOBS)}
        imported = [c for c in candidates if c.id in inserted]
        if imported:
            await connection.copy_records_to_table(
                "job_event", columns=_EVENT_COLUMNS, records=_event_rows(org_id, imported)
            )
        result = LoadResult(imported, rejected=refused)
        if len(imported) < len(candidates):
            skipped = [c for c in candidates if c.id not in inserted]
            rows = await connection.fetch(_LOCK_IDS, org_id, [c.id for c in skipped])
            ids = {row["id"]: row["is_read_only"] for row in rows}
            read_only = [c for c in skipped if ids.get(c.id)]
            result.rejected += [(candidate, _READ_ONLY) for candidate in read_only]
            known = [c for c in skipped if ids.get(c.id) is False]
            if known:
                await _update_existing(connection, org_id, known, result)
            if len(ids) < len(skipped):
                conflicting = [c for c in skipped if c.id not in ids]
                await _reject_conflicting(connection, org_id, conflicting, result)
        if result.imported or result.updated:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(org_id))
    return result


async def _update_existing(
    connection: Any, org_id: UUID, known: Sequence[Candidate], result: LoadResult
) -> None:
    """Add later events to existing jobs, and reject candidates whose earlier events differ."""
    _, *given = zip(*_event_rows(org_id, known), strict=True)
    rows = await connection.fetch(_COMPARE, org_id, *given, FIRST, LAST)
    existing = {row["job_id"]: row for row in rows}
    later = {}
    for candidate in known:
        row = existing.get(candidate.id, {"last": 0, "differing": None})
        if row["differing"] is not None:
            reason = f"id: the existing job has different events from event {row['differing']} on"
            result.rejected.append((candidate, reason))
        elif candidate.history.job.event_seq > row["last"]:
            result.updated.append(candidate)
            later[candidate.id] = row["last"]
        else:
            result.unchanged.append(candidate)
    if later:
        await _forget_moved(connection, org_id, result.updated)
        changes = [(org_id, c.id, *c.history.job) for c in result.updated]
        await connection.executemany(_UPDATE, changes)
        events = (row for row in _event_rows(org_id, result.updated) if row[2] > later[row[1]])
        await connection.copy_records_to_table("job_event", columns=_EVENT_COLUMNS, records=events)


async def _forget_moved(connection: Any, org_id: UUID, updated: Sequence[Candidate]) -> None:
    """Have tallies made again if jobs get another type or queue, by which they are summed."""
    given = [(c.id, c.history.job.type, c.history.job.queue) for c in updated]
    await connection.execute(_FORGET_MOVED, org_id, *zip(*given, strict=True))


def _event_rows(org_id: UUID, candidates: Sequence[Candidate]) -> Iterator[tuple[Any, ...]]:
    for candidate in candidates:
        for seq, event in enumerate(candidate.history.events, 1):
            yield (org_id, candidate.id, seq, *event)


async def _reject_conflicting(
    connection: Any,
    org_id: UUID,
    conflicting: Sequence[Candidate],
    result: LoadResult,
) -> None:
    """Reject candidates whose idempotency key belongs to another job."""
    keys = [c.history.job.idempotency_key for c in conflicting]
    owners = dict(await connection.fetch(_FIND_KEYS, org_id, keys))
    for candidate in conflicting:
        owner = owners.get(candidate.history.job.idempotency_key, "another")
        result.rejected.append((candidate, f"idempotency_key: belongs to job {owner} already"))
