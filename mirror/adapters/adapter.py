"""What an adapter knows of its queue: versions, tables, what to read, and how rows become facts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.facts import Fact
from db.limits import MAX_JSON_BYTES
from mirror.adapters import values

Row = Mapping[str, Any]
# The rows of one job, by table.
Rows = Mapping[str, Sequence[Row]]

_LARGE = frozenset({values.json, values.payload})


@dataclass(frozen=True, slots=True)
class Table:
    """A table with rows of jobs. `key` is an expression that names the job in `source`.

    `joined`: its column and the column of the table of jobs that have the same value. `is_beside`:
    its rows are of many jobs.
    """

    name: str
    columns: Mapping[str, values.Column]
    key: str = "t.id"
    key_type: str = "bigint"
    # The tables to read, the table itself as `t`; None if it is read alone.
    source: str | None = None
    joined: tuple[str, str] | None = None
    is_beside: bool = False
    primary_key: tuple[str, ...] = ("id",)

    def select(self, schema: str) -> str:
        """Return the statement that reads the rows of the jobs named in $1."""
        columns = ", ".join(_as_text(name, kind) for name, kind in self.columns.items())
        source = (self.source or f"{{schema}}.{self.name} AS t").replace("{schema}", schema)
        return (
            f"SELECT {self.key}::text AS _key, {columns} FROM {source} "  # noqa: S608 - no input
            f"WHERE {self.key} = ANY($1::text[]::{self.key_type}[])"
        )

    def row(self, texts: Mapping[str, str | None]) -> Row:
        """Read the columns of a row from their texts; columns that are missing are left out."""
        row: dict[str, Any] = {}
        for name, kind in self.columns.items():
            if name in texts:
                value = texts[name]
                row[name] = None if value is None else kind(value)
        return row


def _as_text(name: str, kind: values.Column) -> str:
    """Return the expression of a column; documents that are too large are not even sent."""
    if kind not in _LARGE:
        return f't."{name}"::text AS "{name}"'
    size = f't."{name}"' if kind is values.payload else f't."{name}"::text'
    note = f"""'{{"joblens": "left out: ' || octet_length({size}) || ' bytes"}}'"""
    too_large = f"octet_length({size}) > {MAX_JSON_BYTES}"
    return f'CASE WHEN {too_large} THEN {note} ELSE t."{name}"::text END AS "{name}"'


@dataclass(frozen=True, slots=True)
class Adapter:
    """A queue on PostgreSQL.

    SQL has `{schema}` for the schema of its tables, quoted. `page`, `live` and `recent` return the
    keys of jobs as text, the last two with a text that changes whenever the job's facts may.
    """

    kind: str
    title: str
    # A table and a column of it by which the queue is recognised.
    landmark: tuple[str, str]
    # An expression: the version as text, null or "" if it is not known.
    version: str
    versions: Sequence[str]
    # The first has the jobs. `facts` takes the rows of one job, and when they were read: the time
    # of what has no other.
    tables: Sequence[Table]
    facts: Callable[[Rows, datetime], list[Fact]]
    # Keys after $1 (null: from the start), at most $2, of jobs that changed since $3 (null: all).
    page: str
    # Jobs that may still change.
    live: str
    # Jobs that have ended since $1, an earlier value of `watermark` as text.
    recent: str
    # What to show the user: how long ended rows stay, what polling misses, what is not kept.
    keeps: str
    missed: str
    unknown: str
    # An expression that grows with each end of a job.
    watermark: str = "now()"
    # Whether rows of jobs that succeed are deleted at once.
    deletes: bool = False
    # Whether the other tables have rows of a job when its row is gone.
    is_outlived: bool = False

    @property
    def key_column(self) -> str:
        """The column of the first table that names a job."""
        return self.tables[0].key.removeprefix("t.")
