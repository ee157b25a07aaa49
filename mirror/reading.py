"""Reading a queue: which one a database has, and the facts of its jobs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg

from db.facts import Fact
from mirror.adapters import ADAPTERS, Adapter, Row, Rows

# asyncpg has no types.
Connection: TypeAlias = Any

# What the texts of values depend on; see mirror.adapters.values.
_SETTINGS = {"TimeZone": "UTC", "DateStyle": "ISO", "application_name": "joblens mirror"}
_CONNECT_SECONDS = 10
_COMMAND_SECONDS = 60

_SCHEMAS = """
SELECT quote_ident(nspname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relname = $1 AND relkind IN ('r', 'p') AND attname = $2 AND NOT attisdropped
    AND nspname NOT LIKE 'pg\\_%' AND NOT relispartition
ORDER BY nspname
"""


class QueueError(Exception):
    """The queue cannot be mirrored; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A queue of a database: its adapter, the schema of its tables (quoted), and its version."""

    adapter: Adapter
    schema: str
    version: str | None

    @property
    def is_known(self) -> bool:
        """Whether the adapter knows this version."""
        return self.version in self.adapter.versions

    def sql(self, statement: str) -> str:
        """Complete a statement of the adapter."""
        return statement.replace("{schema}", self.schema)


def quoted(name: str) -> str:
    """Quote a name as PostgreSQL's quote_ident does, but for its reserved words."""
    if re.fullmatch(r"[a-z_][a-z0-9_$]*", name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


async def connect(url: str) -> Connection:
    """Connect to the database of a queue. Works behind a pooler: nothing is prepared by name."""
    return await asyncpg.connect(
        url,
        server_settings=_SETTINGS,
        statement_cache_size=0,
        timeout=_CONNECT_SECONDS,
        command_timeout=_COMMAND_SECONDS,
    )


async def find_queues(connection: Connection) -> list[Found]:
    """Find the queues of a database, those of unknown versions too."""
    return [
        Found(adapter, row[0], await _version(connection, adapter, row[0]))
        for adapter in ADAPTERS.values()
        for row in await connection.fetch(_SCHEMAS, *adapter.landmark)
    ]


async def _version(connection: Connection, adapter: Adapter, schema: str) -> str | None:
    expression = adapter.version.replace("{schema}", schema)
    try:
        version: str | None = await connection.fetchval(f"SELECT {expression}")
    except asyncpg.PostgresError as error:
        return None if isinstance(error, asyncpg.UndefinedTableError) else f"unknown: {error}"
    return version


async def read_rows(
    connection: Connection, found: Found, keys: Sequence[str]
) -> Mapping[str, Rows]:
    """Read the rows of jobs, by their keys; those that do not exist are left out."""
    rows: dict[str, dict[str, list[Row]]] = {}
    for table in found.adapter.tables:
        for record in await connection.fetch(table.select(found.schema), list(keys)):
            texts = dict(record)
            key = texts.pop("_key")
            of_job = rows.setdefault(key, {each.name: [] for each in found.adapter.tables})
            of_job[table.name].append(table.row(texts))
    return rows


def facts_of(found: Found, rows: Iterable[Rows], now: datetime) -> list[Fact]:
    """Map the rows of jobs."""
    return [fact for each in rows for fact in found.adapter.facts(each, now)]
