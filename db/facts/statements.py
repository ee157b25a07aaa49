"""The SQL of db.facts: many jobs and their events at once, their values as arrays."""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Table,
    Text,
    TextClause,
    Uuid,
    any_,
    bindparam,
    cast,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.json_values import dumps
from db.queries.rows import AnySelect
from db.tables import job_event_table, job_table

job, event = job_table.c, job_event_table.c

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

# What is only written if a fact tells it: it is large, or not read.
GROUPS = {
    "payload": ("payload",),
    "result": ("result",),
    "error": ("last_error_code", "last_error_message", "error_group"),
}
_KEYS = ("id", "external_id")
_COLUMNS = (
    *("type", "queue", "status", "priority", "attempt", "max_attempts", "requested_by"),
    *("event_seq", "created_at", "updated_at", "queued_at", "scheduled_at", "started_at"),
    *("finished_at", "worker", "progress_fraction", "progress_step", "progress_at"),
    *("parent_id", "batch", "tags", "described"),
)
_EVENT = ("job_id", "seq", "ts", "prev_status", "next_status", "attempt", "detail")
_STORED = (
    *("id", "source_id", "event_seq", "type", "queue", "priority", "requested_by"),
    *("scheduled_at", "parent_id", "batch"),
)


def lock_jobs(org_id: Any, job_ids: Sequence[Any]) -> AnySelect:
    """Build the locking of jobs, in the order of their ids. JSON columns come as text."""
    columns = (
        *(job[name] for name in _STORED),
        *(cast(job[name], Text()).label(name) for name in ("tags", "described")),
    )
    statement = select(*columns).where(
        job.org_id == org_id, job.id == any_(literal(job_ids, ARRAY(Uuid())))
    )
    return statement.order_by(job.id).with_for_update()


def events_of(org_id: Any, job_ids: Sequence[Any]) -> AnySelect:
    """Build the reading of all events of jobs, in the order of their `seq`."""
    columns = (
        *(event[name] for name in _EVENT if name != "detail"),
        cast(event.detail, Text()).label("noted"),
    )
    statement = select(*columns).where(
        event.org_id == org_id, event.job_id == any_(literal(job_ids, ARRAY(Uuid())))
    )
    return statement.order_by(event.job_id, event.seq)


def groups_of(told: Mapping[str, Any]) -> list[str]:
    """Return the names of the GROUPS that are told."""
    return [group for group, names in GROUPS.items() if names[0] in told]


def arrays(names: Iterable[str], rows: Sequence[Mapping[str, Any]], table: Table) -> dict[str, Any]:
    """Return the parameters of a statement on many rows: an array for each column."""
    found: dict[str, Any] = {name: [row.get(name) for row in rows] for name in names}
    for name, values in found.items():
        if _is_json(table.c[name]):
            found[name] = [None if value is None else dumps(value).decode() for value in values]
    return found


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSONB)


def _type_of(name: str, table: Table) -> str:
    return "text" if _is_json(table.c[name]) else table.c[name].type.compile(_DIALECT)


def _given(names: Sequence[str], table: Table) -> str:
    lists = ", ".join(f"CAST(:{name} AS {_type_of(name, table)}[])" for name in names)
    return f"unnest({lists}) AS given ({', '.join(names)})"


def _value(name: str, table: Table) -> str:
    return f"CAST(given.{name} AS jsonb)" if _is_json(table.c[name]) else f"given.{name}"


def _made(statement: str, names: Iterable[str], table: Table, **scalars: Any) -> TextClause:
    types = {name: Text() if _is_json(table.c[name]) else table.c[name].type for name in names}
    return text(statement.strip()).bindparams(
        *(bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()),
        *(bindparam(name, type_=kind) for name, kind in scalars.items()),
    )


def _inserting(names: Sequence[str]) -> str:
    return f"""
    INSERT INTO job (org_id, source_id, {", ".join(names)})
    SELECT :org_id, :source_id, {", ".join(_value(name, job_table) for name in names)}
    FROM {_given(names, job_table)} ORDER BY given.id
    """


def _of_jobs(statement: str, names: Sequence[str]) -> TextClause:
    return _made(statement, names, job_table, org_id=Uuid(), source_id=Uuid())


NEW_JOBS = (*_KEYS, *_COLUMNS, *(name for names in GROUPS.values() for name in names))
INSERT_JOBS = _of_jobs(f"{_inserting(NEW_JOBS)} ON CONFLICT DO NOTHING RETURNING id", NEW_JOBS)


@cache
def updating(groups: frozenset[str]) -> tuple[Sequence[str], TextClause]:
    """Return the columns and the statement that changes jobs; of GROUPS only these.

    The jobs must exist. Only an INSERT finds them by their key, whatever PostgreSQL knows of the
    organisation: an UPDATE may read all its jobs.
    """
    told = (name for group in GROUPS if group in groups for name in GROUPS[group])
    changed = (*_COLUMNS, *told)
    names = (*_KEYS, *changed)
    setting = ", ".join(f"{name} = excluded.{name}" for name in changed)
    resolved = f"{_inserting(names)} ON CONFLICT (org_id, id) DO UPDATE SET {setting}"
    return names, _of_jobs(resolved, names)


NEW_EVENTS = _EVENT
INSERT_EVENTS = _made(
    f"""
    INSERT INTO job_event (org_id, {", ".join(_EVENT)})
    SELECT :org_id, {", ".join(_value(name, job_event_table) for name in _EVENT)}
    FROM {_given(_EVENT, job_event_table)}
    """,
    _EVENT,
    job_event_table,
    org_id=Uuid(),
)
# One for each job: joined with a list, it may read all events of the organisation.
DELETE_EVENTS = text(
    "DELETE FROM job_event WHERE org_id = :org_id AND job_id = :job_id AND seq >= :seq"
).bindparams(
    bindparam("org_id", type_=Uuid()),
    bindparam("job_id", type_=Uuid()),
    bindparam("seq", type_=event.seq.type),
)
