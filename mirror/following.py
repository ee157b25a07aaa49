"""Follower: one way or both to keep up with a queue, after its slot was made, or recreated."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mirror.pgoutput import lsn_number
from mirror.poll import Poller
from mirror.reading import Connection
from mirror.slot import PEEK_CHANGES, SlotReader
from mirror.slots import ensure_publication, ensure_slot, slot_state

# How long the source says that its slot was lost.
NOTE_FOR = timedelta(days=1)


@dataclass(slots=True)
class Follower:
    """Keeps up with a queue: by its slot if there is a reader of one, else by polls."""

    poller: Poller
    reader: SlotReader | None = None

    async def follow(self, connection: Connection) -> bool:
        """Copy what has changed; return whether there is more to copy at once."""
        if self.reader is None:
            await self.poller.poll(connection)
            return False
        checkpoint = self.reader.checkpoint
        if not checkpoint.get("is_reconciled"):
            # What changed before the slot was there.
            await self.poller.poll(connection)
            checkpoint["is_reconciled"] = True
        count = await self.reader.read(connection)
        await self._tell(connection, is_idle=not count)
        return count >= PEEK_CHANGES

    async def _tell(self, connection: Connection, *, is_idle: bool) -> None:
        assert self.reader is not None
        state = await slot_state(connection, self.reader.slot)
        checkpoint = self.reader.checkpoint
        now = datetime.now(UTC)
        noted_at = checkpoint.get("noted_at")
        if noted_at and now - datetime.fromisoformat(noted_at) > NOTE_FOR:
            for name in ("note", "noted_at"):
                del checkpoint[name]
        values = {
            "checkpoint": checkpoint,
            "last_seen_at": now,
            "last_error": checkpoint.get("note"),
            "schema_version": self.poller.found.version,
            "backlog_bytes": None if state is None else state.held_bytes,
        }
        if is_idle:
            values["lag_seconds"] = 0.0
        await self.reader.ledger.write([], values)


async def prepared(connection: Connection, poller: Poller, reader: SlotReader) -> Follower:
    """Make sure of the slot. One that was lost is recreated, and all rows are read again."""
    checkpoint, slot = reader.checkpoint, reader.slot
    state = await slot_state(connection, slot)
    was_used = checkpoint.get("slot") == slot
    read = lsn_number(checkpoint["lsn"]) if checkpoint.get("lsn") else 0
    # Beyond what the ledger has, another process has moved it.
    is_whole = (
        was_used and state is not None and not state.is_lost and lsn_number(state.position) <= read
    )
    if not is_whole:
        await ensure_publication(connection, poller.found, slot)
        position = await ensure_slot(connection, slot)
        checkpoint.update({"slot": slot, "lsn": position, "is_reconciled": False})
        if was_used:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            note = (
                f"the slot was lost and recreated at {now}: of what changed before that, only what "
                "the rows still show was copied"
            )
            checkpoint.update({"note": note, "noted_at": now})
    return Follower(poller, reader)
