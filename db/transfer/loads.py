"""Writing a batch of histories into the ledger through COPY, each batch in one transaction.

Jobs pass through a temporary table, so that those already there are skipped; events then go
straight into `job_event`, for the jobs that are new.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from db.commands.notifications import CHANNEL
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
_FIND_IDS = "SELECT id FROM job WHERE org_id = $1 AND id = ANY($2::uuid[])"
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
    """A line that may become a job. `digest` is set where the record has no id."""

    line_number: int
    line: bytes
    history: History
    id: UUID
    digest: bytes | None


@dataclass(slots=True)
class Outcome:
    imported: list[Candidate] = field(default_factory=list)
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
        candidate.id = content_id(
            candidate.digest, candidate.history.job.created_at, occurrences[first_id]
        )
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
    left = candidates
    while left:
        first = {candidate.id: candidate for candidate in reversed(left)}
        await _load_distinct(connection, org_id, [c for c in left if first[c.id] is c], outcome)
        known = {c.id for c in (*outcome.imported, *outcome.unchanged)}
        repeats = [c for c in left if first[c.id] is not c]
        outcome.unchanged += [c for c in repeats if c.id in known]
        left = [c for c in repeats if c.id not in known]


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
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(org_id))
        outcome = Outcome(imported)
        if len(imported) < len(candidates):
            skipped = [c for c in candidates if c.id not in inserted]
            await _explain(connection, org_id, skipped, outcome)
    return outcome


def _event_rows(org_id: UUID, candidates: Sequence[Candidate]) -> Iterator[tuple[object, ...]]:
    for candidate in candidates:
        for seq, event in enumerate(candidate.history.events, 1):
            yield (org_id, candidate.id, seq, *event)


async def _explain(
    connection: Any,
    org_id: UUID,
    skipped: Sequence[Candidate],
    outcome: Outcome,
) -> None:
    """Tell jobs that are in the ledger already from those whose idempotency key is taken."""
    ids = {row["id"] for row in await connection.fetch(_FIND_IDS, org_id, [c.id for c in skipped])}
    outcome.unchanged += [c for c in skipped if c.id in ids]
    strangers = [c for c in skipped if c.id not in ids]
    if not strangers:
        return
    keys = [c.history.job.idempotency_key for c in strangers]
    owners = dict(await connection.fetch(_FIND_KEYS, org_id, keys))
    for candidate in strangers:
        owner = owners.get(candidate.history.job.idempotency_key, "another")
        outcome.refused.append((candidate, f"idempotency_key: belongs to job {owner} already"))
