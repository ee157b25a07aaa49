"""Counts equal records of an import. On disk if there are many, in a file that SQLite removes.

Not in a temporary table of PostgreSQL: that would not outlast a transaction behind a pooler.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from db.transfer.identities import content_id
from db.transfer.loads import Candidate

_CREATE = "CREATE TABLE seen (id BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID"
_GET = "SELECT times FROM seen WHERE id = ?"
_SET = "INSERT OR REPLACE INTO seen (id, times) VALUES (?, ?)"


class Repeats:
    """Gives equal records without id different ids: the nth in an import gets the nth id."""

    def __init__(self) -> None:
        # A database without a name: temporary, private, and in memory while it is small.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute(_CREATE)

    def close(self) -> None:
        """Remove what was counted."""
        self._seen.close()

    def number(self, candidates: Sequence[Candidate]) -> None:
        """Set the ids of the next records, in their order.

        Those with an idempotency key are not counted, because equal ones are the same job.
        """
        equal = [c for c in candidates if c.digest and not c.history.job.idempotency_key]
        occurrences = self._add(Counter(candidate.id for candidate in equal))
        for candidate in equal:
            first_id = candidate.id
            assert candidate.digest
            candidate.id = content_id(candidate.digest, candidate.created_at, occurrences[first_id])
            occurrences[first_id] += 1

    def _add(self, counts: Counter[UUID]) -> dict[UUID, int]:
        """Count some more; return how often each had been seen before."""
        before = {}
        self._seen.execute("BEGIN")
        for first_id, times in counts.items():
            row = self._seen.execute(_GET, (first_id.bytes,)).fetchone()
            before[first_id] = row[0] if row else 0
            self._seen.execute(_SET, (first_id.bytes, before[first_id] + times))
        self._seen.execute("COMMIT")
        return before
