"""Writing a batch of histories into the ledger through COPY, each batch in one transaction.

Jobs pass through a temporary table, so that those already there are told from new ones. Events go
straight into `job_event`: of new jobs all, of others those that are later than what is there.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.commands.notifications import CHANNEL
from db.times import FIRST, LAST
from db.transfer.histories import Event, History, Job
from db.transfer.identities import content_id

_JOB_COLUMNS = ("org_id", "id", *Job._fields)
_EVENT_COLUMNS = ("org_id", "job_id", "seq", *Event._fields)
_COLUMN_LIST = ", ".join(_JOB_COLUMNS)

# pg_temp is named, so that no table of the search path is ever meant.
PREPARE = """
CREATE TEMPORARY TABLE staged_job (LIKE job, line bigint NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE seen_content (id uuid PRIMARY KEY, times bigint NOT NULL);
"""
# In the order of lines: of two that claim one idempotency key, the first gets it.
_INSERT_JOBS = f"""
INSERT INTO job ({_COLUMN_LIST})
SELECT {_COLUMN_LIST} FROM pg_temp.staged_job ORDER BY line
ON CONFLICT DO NOTHING
RETURNING id
"""  # noqa: S608 - column names of this module
# Locked, so that no other events come between the comparison and what follows from it.
_LOCK_IDS = """
SELECT id FROM job WHERE org_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
"""
# Of each job the last event, and the first that the record tells otherwise. Times that no record
# can tell are compared as an export writes them.
_COMPARE = """
SELECT there.job_id, max(there.seq) AS last, min(there.seq) FILTER (WHERE told.seq IS NOT NULL AND (
    least(greatest(there.ts, $9), $10), there.prev_status, there.next_status, there.attempt,
    nullif(there.detail, 'null')
) IS DISTINCT FROM (
    told.ts, told.prev_status, told.next_status, told.attempt, told.detail
)) AS other
FROM job_event there LEFT JOIN unnest(
    $2::uuid[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[], $8::jsonb[]
) AS told (job_id, seq, ts, prev_status, next_status, attempt, detail)
    ON there.job_id = told.job_id AND there.seq = told.seq
WHERE there.org_id = $1 AND there.job_id = ANY($2::uuid[])
GROUP BY there.job_id
"""
_UPDATE = f"""
UPDATE job SET {", ".join(f"{name} = ${n}" for n, name in enumerate(Job._fields, 3))}
WHERE org_id = $1 AND id = $2
"""  # noqa: S608 - as above
_FIND_KEYS = """
SELECT idempotency_key, id FROM job WHERE org_id = $1 AND idempotency_key = ANY($2::text[])
"""
_COUNT_CONTENT = """
INSERT INTO pg_temp.seen_content AS seen (id, times)
SELECT * FROM unnest($1::uuid[], $2::bigint[])
ON CONFLICT (id) DO UPDATE SET times = seen.times + excluded.times
RETURNING id, times
"""
# What the data of a single record can cause; anything else ends the import.
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


@dataclass(slots=True)
class Candidate:
    """A line that may become a job. `digest` is set where the record has no id.

    `created_at` is what the record tells: ids are made of it.
    """

    line_number: int
    line: bytes
    history: History
    id: UUID
    digest: bytes | None
    created_at: datetime


@dataclass(slots=True)
class Outcome:
    imported: list[Candidate] = field(default_factory=list)
    updated: list[Candidate] = field(default_factory=list)
    unchanged: list[Candidate] = field(default_factory=list)
    refused: list[tuple[Candidate, str]] = field(default_factory=list)


async def number_repeats(connection: Any, candidates: Sequence[Candidate]) -> None:
    """Tell apart records without id that are alike: the nth of an import gets the nth id.

    Counted in a temporary table, not in memory. A record with an idempotency key is not counted:
    the key says that its repeats are the same job.
    """
    alike = [c for c in candidates if c.digest and not c.history.job.idempotency_key]
    counts = Counter(candidate.id for candidate in alike)
    if not counts:
        return
    rows = await connection.fetch(_COUNT_CONTENT, list(counts), list(counts.values()))
    occurrences = {row["id"]: row["times"] - counts[row["id"]] for row in rows}
    for candidate in alike:
        first_id = candidate.id
        assert candidate.digest
        candidate.id = content_id(candidate.digest, candidate.created_at, occurrences[first_id])
        occurrences[first_id] += 1


async def load(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
    outcome: Outcome,
) -> None:
    """Write the candidates and tell `outcome` what became of each.

    One transaction; several where ids repeat or the database refuses a record.
    """
    left = list(candidates)
    while left:
        first = {candidate.id: candidate for candidate in reversed(left)}
        await _load_distinct(connection, org_id, [c for c in left if first[c.id] is c], outcome)
        refused = {candidate.id for candidate, _ in outcome.refused}
        repeats = [c for c in left if first[c.id] is not c]
        left = []
        for again in repeats:
            is_same = again.id not in refused and again.history == first[again.id].history
            (outcome.unchanged if is_same else left).append(again)


async def _load_distinct(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
    outcome: Outcome,
) -> None:
    """Write candidates of different ids; where one spoils the batch, find it by halving."""
    if not candidates:
        return
    try:
        written = await _write(connection, org_id, candidates)
    except _REFUSALS:
        if len(candidates) == 1:
            outcome.refused.append((candidates[0], "the database does not accept this record"))
            return
        middle = len(candidates) // 2
        await _load_distinct(connection, org_id, candidates[:middle], outcome)
        await _load_distinct(connection, org_id, candidates[middle:], outcome)
    else:
        outcome.imported += written.imported
        outcome.updated += written.updated
        outcome.unchanged += written.unchanged
        outcome.refused += written.refused


async def _write(
    connection: Any,
    org_id: UUID,
    candidates: Sequence[Candidate],
) -> Outcome:
    async with connection.transaction(isolation="read_committed"):
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
        outcome = Outcome(imported)
        if len(imported) < len(candidates):
            skipped = [c for c in candidates if c.id not in inserted]
            rows = await connection.fetch(_LOCK_IDS, org_id, [c.id for c in skipped])
            ids = {row["id"] for row in rows}
            if ids:
                known = [c for c in skipped if c.id in ids]
                await _bring_up_to_date(connection, org_id, known, outcome)
            if len(ids) < len(skipped):
                strangers = [c for c in skipped if c.id not in ids]
                await _explain(connection, org_id, strangers, outcome)
        if outcome.imported or outcome.updated:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(org_id))
    return outcome


async def _bring_up_to_date(
    connection: Any, org_id: UUID, known: Sequence[Candidate], outcome: Outcome
) -> None:
    """Give jobs that are there the events that came later, where those before are the same."""
    _, *told = zip(*_event_rows(org_id, known), strict=True)
    rows = await connection.fetch(_COMPARE, org_id, *told, FIRST, LAST)
    there = {row["job_id"]: row for row in rows}
    later = {}
    for candidate in known:
        row = there.get(candidate.id, {"last": 0, "other": None})
        if row["other"] is not None:
            reason = f"id: the ledger tells otherwise of this job from its event {row['other']} on"
            outcome.refused.append((candidate, reason))
        elif candidate.history.job.event_seq > row["last"]:
            outcome.updated.append(candidate)
            later[candidate.id] = row["last"]
        else:
            outcome.unchanged.append(candidate)
    if later:
        changes = [(org_id, c.id, *c.history.job) for c in outcome.updated]
        await connection.executemany(_UPDATE, changes)
        events = (row for row in _event_rows(org_id, outcome.updated) if row[2] > later[row[1]])
        await connection.copy_records_to_table("job_event", columns=_EVENT_COLUMNS, records=events)


def _event_rows(org_id: UUID, candidates: Sequence[Candidate]) -> Iterator[tuple[Any, ...]]:
    for candidate in candidates:
        for seq, event in enumerate(candidate.history.events, 1):
            yield (org_id, candidate.id, seq, *event)


async def _explain(
    connection: Any,
    org_id: UUID,
    strangers: Sequence[Candidate],
    outcome: Outcome,
) -> None:
    """Say whose idempotency key it is that these jobs cannot have."""
    keys = [c.history.job.idempotency_key for c in strangers]
    owners = dict(await connection.fetch(_FIND_KEYS, org_id, keys))
    for candidate in strangers:
        owner = owners.get(candidate.history.job.idempotency_key, "another")
        outcome.refused.append((candidate, f"idempotency_key: belongs to job {owner} already"))
