"""The slot and the publication of a mirror, in the queue's database: made, watched and dropped."""

import re
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import asyncpg

from mirror.reading import Connection, Found, QueueError

PLUGIN = "pgoutput"
_MAX_NAME = 63

_STATE = """
SELECT plugin, confirmed_flush_lsn::text AS position, wal_status = 'lost' AS is_lost,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        restart_lsn
    )::bigint AS held
FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()
"""
_PUBLISHED = """
SELECT quote_ident(schemaname) || '.' || tablename FROM pg_publication_tables WHERE pubname = $1
"""


@dataclass(frozen=True, slots=True)
class SlotState:
    """`position`: up to where the log is confirmed; `held_bytes`: what the slot holds of it."""

    position: str
    is_lost: bool
    held_bytes: int | None


def slot_name(org_id: UUID, name: str) -> str:
    """Name the slot, and the publication, of a source: the same source always has the same."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    digest = sha256(f"{org_id} {name}".encode()).hexdigest()[:8]
    return f"joblens_{plain[: _MAX_NAME - 17]}_{digest}"


def publication_sql(found: Found, name: str) -> str:
    """Return the statement that makes the publication; the owner of the tables may run it."""
    tables = ", ".join(f"{found.schema}.{table.name}" for table in found.adapter.tables)
    return f"CREATE PUBLICATION {name} FOR TABLE {tables} WITH (publish_via_partition_root = true)"


async def ensure_publication(connection: Connection, found: Found, name: str) -> None:
    """Make the publication if it is missing. Raises QueueError if it cannot be used."""
    published = {row[0] for row in await connection.fetch(_PUBLISHED, name)}
    if not published:
        try:
            await connection.execute(publication_sql(found, name))
        except asyncpg.InsufficientPrivilegeError:
            raise QueueError(
                f"the owner of the tables must run: {publication_sql(found, name)}"
            ) from None
        return
    wanted = {f"{found.schema}.{table.name}" for table in found.adapter.tables}
    if missing := sorted(wanted - published):
        raise QueueError(f"the publication {name} lacks the tables {', '.join(missing)}")


async def ensure_slot(connection: Connection, name: str) -> str:
    """Make the slot if it is missing; return the position up to which it is confirmed."""
    state = await slot_state(connection, name)
    if state is not None and not state.is_lost:
        return state.position
    if state is not None:
        await connection.execute("SELECT pg_drop_replication_slot($1)", name)
    make = "SELECT lsn::text FROM pg_create_logical_replication_slot($1, $2)"
    return str(await connection.fetchval(make, name, PLUGIN))


async def slot_state(connection: Connection, name: str) -> SlotState | None:
    """Return how the slot is; None if there is none."""
    row = await connection.fetchrow(_STATE, name)
    if row is None:
        return None
    return SlotState(row["position"], bool(row["is_lost"]), row["held"])


async def drop_slot(connection: Connection, name: str) -> None:
    """Drop the slot, and the publication if the login may."""
    if await slot_state(connection, name) is not None:
        await connection.execute("SELECT pg_drop_replication_slot($1)", name)
    with suppress(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"DROP PUBLICATION IF EXISTS {name}")
