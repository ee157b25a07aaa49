"""Slot: reads the write-ahead log of a queue's tables, through SQL, and so misses nothing.

What is copied is committed in the ledger with the position in the log; the slot is moved after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mirror.chunks import Chunk, Snapshot
from mirror.dating import State, dated, is_known
from mirror.images import Images
from mirror.ledger import Ledger, Seen
from mirror.pgoutput import Begin, Change, Decoder, lsn_number, lsn_text
from mirror.reading import Connection, Found, quoted, read_rows
from mirror.vanished import Known, vanished

# Row changes of one reading, which ends at the end of a transaction.
PEEK_CHANGES = 10_000
_PREFETCH = 1_000
_SNAPSHOT = "SELECT pg_current_snapshot()::text"

_PEEK = """
SELECT data FROM pg_logical_slot_peek_binary_changes(
    $1, NULL, $2, 'proto_version', '1', 'publication_names', $3
)
"""


@dataclass(slots=True)
class SlotReader:
    """Follows one queue by its slot, which is also the name of the publication.

    `checkpoint` is the source's, and is changed once the ledger has it.
    """

    found: Found
    ledger: Ledger
    slot: str
    checkpoint: dict[str, Any]
    _images: Images = field(init=False)
    # The status and attempt of each job as of its last image.
    _states: dict[str, State] = field(default_factory=dict)
    # Jobs whose last image was copied here: its facts need not be recorded again.
    _recorded: set[str] = field(default_factory=set)
    # Jobs whose rows were read, and in which snapshot.
    _read_at: dict[str, Snapshot] = field(default_factory=dict)
    _snapshot: Snapshot = field(default_factory=lambda: Snapshot(0, frozenset()))

    def __post_init__(self) -> None:
        self._images = Images(self.found.adapter)

    async def read(self, connection: Connection) -> int:
        """Copy what was committed since the last reading; return how many changes that were."""
        decoder, chunk, count = Decoder(), Chunk(), 0
        # What is read of rows is as of its beginning: changes that are not in it come on top.
        async with connection.transaction(isolation="repeatable_read"):
            self._snapshot = Snapshot.read(await connection.fetchval(_SNAPSHOT))
            cursor = connection.cursor(
                _PEEK, self.slot, PEEK_CHANGES, self.slot, prefetch=_PREFETCH
            )
            async for record in cursor:
                for message in decoder.decode(record[0]):
                    if not isinstance(message, Change) or self._is_ours(message):
                        chunk.add(message, self._done)
                count += 1
                if chunk.is_full:
                    await self._copy(connection, chunk)
                    chunk = chunk.rest()
            await self._copy(connection, chunk)
        if self._done > 0:
            # As far as the ledger has committed.
            await connection.execute(
                "SELECT pg_replication_slot_advance($1, $2::text::pg_lsn)",
                self.slot,
                lsn_text(self._done),
            )
        return count

    def _is_ours(self, change: Change) -> bool:
        names = {table.name for table in self.found.adapter.tables}
        return quoted(change.schema) == self.found.schema and change.table in names

    @property
    def _done(self) -> int:
        return lsn_number(self.checkpoint["lsn"]) if self.checkpoint.get("lsn") else 0

    async def _copy(self, connection: Connection, chunk: "Chunk") -> None:
        if chunk.lsn is None and not chunk.transactions:
            return
        await self._seed(connection, chunk)
        jobs: dict[str, Seen] = {}
        for begin, changes in chunk.transactions:
            for key, seen in self._images_of(begin, changes):
                reported = jobs[key].facts if key in jobs else ()
                jobs[key] = Seen([*reported, *seen.facts], seen.at)
        read = {} if chunk.lsn is None else {"lsn": lsn_text(chunk.lsn)}
        now = datetime.now(UTC)
        values = {"checkpoint": {**self.checkpoint, **read}, "last_seen_at": now}
        if chunk.transactions:
            lag = (now - chunk.transactions[-1][0].ts).total_seconds()
            values["lag_seconds"] = max(lag, 0.0)
        await self.ledger.write(list(jobs.values()), values)
        self.checkpoint.update(read)

    async def _seed(self, connection: Connection, chunk: "Chunk") -> None:
        """Read the rows of jobs that are not in memory, and the states of those in the ledger."""
        changes = [change for _, changes in chunk.transactions for change in changes]
        born = {
            self._images.key_of(each)
            for each in changes
            if each.kind == "insert" and each.table == self.found.adapter.tables[0].name
        }
        await self._resolve(connection, changes)
        keys = {key for each in changes if (key := self._images.key_of(each)) is not None}
        # Of a job that was added the log has all.
        unread = sorted(key for key in keys - born if key not in self._images)
        if not unread:
            return
        for key, rows in (await read_rows(connection, self.found, unread)).items():
            self._images.put(key, rows)
            self._read_at[key] = self._snapshot
        self._states |= await self.ledger.states([key for key in unread if key not in self._states])

    async def _resolve(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Read the jobs of rows that name them by another column than their key."""
        jobs = self.found.adapter.tables[0]
        for table in self.found.adapter.tables[1:]:
            if table.joined is None or table.joined[1] == self.found.adapter.key_column:
                continue
            own, column = table.joined
            values = {
                value
                for each in changes
                if each.table == table.name
                and (value := each.texts.get(own)) is not None
                and self._images.key_of(each) is None
            }
            if not values:
                continue
            select = (
                f"SELECT t.{self.found.adapter.key_column}::text "  # noqa: S608 - no input
                f"FROM {self.found.schema}.{jobs.name} AS t WHERE t.{column}::text = ANY($1)"
            )
            keys = [row[0] for row in await connection.fetch(select, sorted(values))]
            for key, rows in (await read_rows(connection, self.found, keys)).items():
                self._images.put(key, rows)
                self._read_at[key] = self._snapshot

    def _images_of(self, begin: Begin, changes: Sequence[Change]) -> list[tuple[str, Seen]]:
        """Apply a transaction; return what it has of each job."""
        touched: dict[str, None] = {}
        for change in changes:
            key = self._images.key_of(change)
            if key is not None:
                touched[key] = None
            if key is None or not self._is_read(key, begin):
                self._images.apply(key, change)
        found = ((key, self._image(key, begin)) for key in touched)
        return [(key, seen) for key, seen in found if seen is not None]

    def _is_read(self, key: str, begin: Begin) -> bool:
        """Whether the rows of a job were read with this transaction in them.

        An older row with newer ones of other tables would show what never was.
        """
        has_others = any(not table.is_beside for table in self.found.adapter.tables[1:])
        snapshot = self._read_at.get(key)
        return has_others and snapshot is not None and snapshot.has(begin.xid)

    def _image(self, key: str, begin: Begin) -> Seen | None:
        ts = begin.ts
        rows, before = self._images.rows(key), self._states.get(key)
        if rows is None:
            self._images.drop(key)
            self._states.pop(key, None)
            self._recorded.discard(key)
            self._read_at.pop(key, None)
            if before is None:
                return None
            known = Known(None, *before)
            gone = list(vanished(self.found.adapter, key, known, ts, is_exact=True))
            return Seen(gone, ts) if gone else None
        facts = self.found.adapter.facts(rows, ts)
        if not self._is_read(key, begin):
            facts = dated(facts, before, ts)
        if key in self._recorded and before is not None:
            facts = [fact for fact in facts[:-1] if not is_known(fact, before)] + facts[-1:]
        self._recorded.add(key)
        self._states[key] = (facts[-1].status, facts[-1].attempt or 0)
        return Seen(facts, ts)
