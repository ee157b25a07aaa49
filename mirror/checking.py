"""What a login may see of a queue, what can be mirrored of it, and what will be missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mirror.reading import Connection, Found, QueueError, find_queues

# $1: names of tables, with their schema. By oid: names need the right to use the schema.
_TABLES = """
SELECT name, has_table_privilege(pg_class.oid, 'SELECT')
        AND has_schema_privilege(relnamespace, 'USAGE') AS is_readable,
    row_security_active(pg_class.oid) AS is_hidden,
    pg_has_role(relowner, 'USAGE') AS is_owned, relpersistence = 'u' AS is_unlogged
FROM unnest($1::text[]) AS name JOIN pg_namespace ON true
    JOIN pg_class ON relnamespace = pg_namespace.oid
WHERE quote_ident(nspname) || '.' || relname = name
"""
_SERVER = """
SELECT current_setting('server_version') AS version,
    current_setting('wal_level') AS wal_level,
    current_setting('max_slot_wal_keep_size') AS most_wal,
    pg_is_in_recovery() AS is_standby,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_replicate,
    (SELECT count(*) FROM pg_replication_slots) AS slots,
    current_setting('max_replication_slots')::integer AS most_slots
"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a login may do with the tables of a queue. Names of tables have their schema."""

    unreadable: tuple[str, ...]
    hidden: tuple[str, ...]
    unlogged: tuple[str, ...]
    is_owner: bool
    server: Any

    @property
    def poll_faults(self) -> list[str]:
        """Why the queue cannot be polled."""
        faults = [f"SELECT is missing on {name}" for name in self.unreadable]
        return faults + [f"row level security hides the rows of {name}" for name in self.hidden]

    @property
    def slot_faults(self) -> list[str]:
        """Why the queue cannot be read by a slot."""
        return list(self._slot_faults())

    def _slot_faults(self) -> Iterator[str]:
        if self.server.get("wal_level") != "logical":
            yield f"wal_level is {self.server.get('wal_level')}, not logical"
        if not self.server.get("may_replicate"):
            yield "the login lacks REPLICATION"
        if self.server.get("is_standby"):
            yield "the server is a standby: a slot on it needs PostgreSQL 16"
        if self.server.get("slots") >= self.server.get("most_slots"):
            yield "all slots are taken (max_replication_slots)"
        for name in self.unlogged:
            yield f"{name} is unlogged: its changes are not in the write-ahead log"


async def rights_of(connection: Connection, found: Found) -> Rights:
    """Find out what the login may do."""
    names = [f"{found.schema}.{table.name}" for table in found.adapter.tables]
    rows = await connection.fetch(_TABLES, names)
    return Rights(
        unreadable=tuple(row["name"] for row in rows if not row["is_readable"]),
        hidden=tuple(row["name"] for row in rows if row["is_hidden"]),
        unlogged=tuple(row["name"] for row in rows if row["is_unlogged"]),
        is_owner=all(row["is_owned"] for row in rows),
        server=dict(await connection.fetchrow(_SERVER)),
    )


def require_known(found: Found) -> None:
    """Raise QueueError if the adapter does not know this version of the queue."""
    if found.is_known:
        return
    known = ", ".join(found.adapter.versions)
    version = found.version or "unknown"
    raise QueueError(
        f"{found.adapter.title} in the schema {found.schema} has a schema of version {version};"
        f" this Joblens knows {known}"
    )


def report(found: Found, rights: Rights) -> Iterator[tuple[str, str]]:
    """List what was found, as names and findings."""
    adapter, server = found.adapter, rights.server
    known = "known" if found.is_known else f"unknown; known: {', '.join(adapter.versions)}"
    yield "queue", f"{adapter.title}, schema {found.schema}, version {found.version} ({known})"
    poll = rights.poll_faults
    yield "poll", "possible" if not poll else f"not possible: {'; '.join(poll)}"
    slot = rights.slot_faults
    yield "slot", "possible" if not slot else f"not possible: {'; '.join(slot)}"
    if not slot and not (rights.is_owner and server["may_create"]):
        yield "publication", "the owner of the tables must make it: joblens mirror add shows how"
    if not slot and server["most_wal"] == "-1":
        yield "WAL", "max_slot_wal_keep_size is not set: an unread slot fills the disk"
    yield "ended rows stay", adapter.keeps
    yield "missed by poll", adapter.missed
    yield "not kept by the queue", adapter.unknown
    yield "use", "slot" if adapter.deletes and not slot else "poll"


async def find_queue(connection: Connection, kind: str | None, schema: str | None) -> Found:
    """Get the queue of a database. Raises QueueError unless there is one, and its version known."""
    found = [
        each
        for each in await find_queues(connection)
        if kind in {None, each.adapter.kind} and schema in {None, each.schema}
    ]
    if not found:
        raise QueueError(f"no {kind or 'queue'} was found that Joblens knows")
    if len(found) > 1:
        names = ", ".join(f"{each.adapter.kind} in the schema {each.schema}" for each in found)
        raise QueueError(f"there are several queues: {names}; choose one")
    require_known(found[0])
    return found[0]


async def require_readable(connection: Connection, found: Found) -> None:
    """Raise QueueError if the login does not see the rows of the queue."""
    if faults := (await rights_of(connection, found)).poll_faults:
        raise QueueError("; ".join(faults))


async def estimated_jobs(connection: Connection, found: Found) -> int:
    """Estimate how many jobs a queue has, by the statistics of its first table."""
    name = f"{found.schema}.{found.adapter.tables[0].name}"
    rows = "SELECT greatest(sum(reltuples), 0)::bigint FROM pg_class WHERE oid IN ("
    parts = (
        "SELECT relid FROM pg_partition_tree($1::text::regclass) UNION SELECT $1::text::regclass)"
    )
    return int(await connection.fetchval(rows + parts, name))
