"""Imports lines in batches and reports the result. The SQL is in db.transfer.loads."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from db.connections import owner_transaction
from db.transfer import histories, loads, records
from db.transfer.connections import connect
from db.transfer.identities import content_digest, content_id
from db.transfer.json_text import RecordError
from db.transfer.loads import Candidate, LoadResult
from db.transfer.repeats import Repeats

BATCH_RECORDS = 2_000
BATCH_BYTES = 8 * 1024 * 1024
# Longer than any exported line; keeps a file without line ends from filling the memory.
MAX_LINE_BYTES = 512 * 1024 * 1024

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that was not imported: its number from 1, the reason, and its original bytes."""

    line_number: int
    reason: str
    line: bytes


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts of records; `read` is the sum of the others. Blank lines are not counted."""

    read: int
    imported: int
    unchanged: int
    rejected: int
    updated: int = 0


@dataclass(slots=True)
class _Batch:
    """Lines that are imported together: parsed candidates and rejections."""

    lines_read: int = 0
    size: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        records = len(self.candidates) + len(self.rejections)
        return records >= BATCH_RECORDS or self.size >= BATCH_BYTES


async def import_records(
    url: str,
    org_id: UUID,
    lines: Iterable[bytes],
    *,
    on_reject: Callable[[Rejection], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import job histories, one JSON object per line, into one organisation.

    `url` is a libpq URI whose login owns the tables. Each batch is a separate transaction: an
    interrupted import keeps its finished batches, and repeating it completes it. An existing job is
    updated if the record starts with the job's events and has later ones; it is unchanged if there
    are none, and the record is rejected if its events differ. Records without an id get one from
    their content and the number of equal records before them in this import; equal records with an
    idempotency key are one job. `on_reject` is called in the order of lines, `on_progress` after
    each batch with the number of lines read. Raises asyncpg's errors if the database fails; invalid
    records do not cause them.
    """
    imported = updated = unchanged = rejected = 0
    connection = await connect(url, "joblens import")
    repeats = Repeats()
    try:
        for batch in _batches(org_id, lines):
            result = LoadResult()
            repeats.number(batch.candidates)
            await loads.load(connection, org_id, batch.candidates, result)
            rejections = _all_rejections(batch, result)
            imported += len(result.imported)
            updated += len(result.updated)
            unchanged += len(result.unchanged)
            rejected += len(rejections)
            if on_reject:
                for rejection in rejections:
                    on_reject(rejection)
            if on_progress:
                on_progress(batch.lines_read)
        if imported > BATCH_RECORDS:
            # Else queries are planned for a few rows until PostgreSQL does this by itself.
            async with owner_transaction(connection):
                await connection.execute("ANALYZE job, job_event")
    finally:
        repeats.close()
        await connection.close()
    read = imported + updated + unchanged + rejected
    return ImportReport(read, imported, unchanged, rejected, updated)


def _batches(org_id: UUID, lines: Iterable[bytes]) -> Iterator[_Batch]:
    number = 0
    batch = _Batch()
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if text and not text.isspace():
            batch.size += len(line)
            try:
                batch.candidates.append(_candidate(org_id, number, line, text))
            except RecordError as error:
                batch.rejections.append(Rejection(number, str(error), line))
        if batch.is_full:
            batch.lines_read = number
            yield batch
            batch = _Batch()
    batch.lines_read = number
    yield batch


def _candidate(org_id: UUID, number: int, line: bytes, text: bytes) -> Candidate:
    if len(text) > MAX_LINE_BYTES:
        raise RecordError(f"the line is longer than {MAX_LINE_BYTES // 1024**2} MiB")
    raw, record = records.parse(text)
    history = histories.complete(record)
    if history.id:
        return Candidate(number, line, history, history.id, None, record.created_at)
    digest = content_digest(org_id, raw)
    first_id = content_id(digest, record.created_at, 0)
    return Candidate(number, line, history, first_id, digest, record.created_at)


def _all_rejections(batch: _Batch, result: LoadResult) -> list[Rejection]:
    rejected = (Rejection(c.line_number, reason, c.line) for c, reason in result.rejected)
    return sorted((*batch.rejections, *rejected), key=lambda rejection: rejection.line_number)
