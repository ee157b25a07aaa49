"""The SQL of db.facts: many jobs and their events at once, their values as arrays."""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from collections.abc import Iterable, Mapping, Sequence
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

# What a fact may change of a job, but for its keys. Of those of a group the flag of that name says
# whether they are given: they are large, or of another time.
GROUPS = {
    "payload": ("payload",),
    "result": ("result",),
    "error": ("last_error_code", "last_error_message", "error_group"),
}
_COLUMNS = (
    *("type", "queue", "status", "priority", "attempt", "max_attempts", "requested_by"),
    *("event_seq", "created_at", "updated_at", "queued_at", "scheduled_at", "started_at"),
    *("finished_at", "worker", "progress_fraction", "progress_step", "progress_at"),
    *("parent_id", "batch", "tags", "described"),
    *(name for names in GROUPS.values() for name in names),
)
_NEW = ("id", "external_id", *_COLUMNS)
_CHANGED = ("id", *_COLUMNS)
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


def arrays(names: Iterable[str], rows: Iterable[Mapping[str, Any]], table: Table) -> dict[str, Any]:
    """Return the parameters of a statement on many rows: an array for each column."""
    found: dict[str, Any] = {name: [] for name in names}
    for row in rows:
        for name, values in found.items():
            values.append(row.get(name))
    for name, values in found.items():
        if _is_json(table.c.get(name)):
            found[name] = [None if value is None else dumps(value).decode() for value in values]
    return found


def _is_json(column: Column[Any] | None) -> bool:
    return column is not None and isinstance(column.type, JSONB)


def _type_of(name: str, table: Table) -> str:
    if name.startswith("has_"):
        return "boolean"
    return "text" if _is_json(table.c[name]) else table.c[name].type.compile(_DIALECT)


def _given(names: Sequence[str], table: Table) -> str:
    lists = ", ".join(f"CAST(:{name} AS {_type_of(name, table)}[])" for name in names)
    return f"unnest({lists}) AS given ({', '.join(names)})"


def _value(name: str, table: Table) -> str:
    return f"CAST(given.{name} AS jsonb)" if _is_json(table.c[name]) else f"given.{name}"


def _made(statement: str, names: Iterable[str], table: Table, **scalars: Any) -> TextClause:
    types = {
        name: Text() if _is_json(column := table.c.get(name)) else getattr(column, "type", None)
        for name in names
    }
    return text(statement).bindparams(
        *(bindparam(n, type_=ARRAY(kind) if kind else None) for n, kind in types.items()),
        *(bindparam(name, type_=kind) for name, kind in scalars.items()),
    )


NEW_JOBS = _NEW
INSERT_JOBS = _made(
    f"""
    INSERT INTO job (org_id, source_id, {", ".join(_NEW)})
    SELECT :org_id, :source_id, {", ".join(_value(name, job_table) for name in _NEW)}
    FROM {_given(_NEW, job_table)} ORDER BY given.id
    ON CONFLICT DO NOTHING RETURNING id
    """,
    _NEW,
    job_table,
    org_id=Uuid(),
    source_id=Uuid(),
)

_FLAGS = tuple(f"has_{name}" for name in GROUPS)
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
CHANGED_JOBS = (*_CHANGED, *_FLAGS)


def _set(name: str) -> str:
    value = _value(name, job_table)
    if (group := _GROUP_OF.get(name)) is None:
        return f"{name} = {value}"
    return f"{name} = CASE WHEN given.has_{group} THEN {value} ELSE job.{name} END"


UPDATE_JOBS = _made(
    f"""
    UPDATE job SET {", ".join(map(_set, _COLUMNS))}
    FROM {_given(CHANGED_JOBS, job_table)}
    WHERE job.org_id = :org_id AND job.id = given.id
    """,
    CHANGED_JOBS,
    job_table,
    org_id=Uuid(),
)

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
REPLACED = ("job_id", "seq")
DELETE_EVENTS = _made(
    f"""
    DELETE FROM job_event USING {_given(REPLACED, job_event_table)}
    WHERE job_event.org_id = :org_id AND job_event.job_id = given.job_id
    AND job_event.seq >= given.seq
    """,
    REPLACED,
    job_event_table,
    org_id=Uuid(),
)
