"""The SQL of db.facts: many jobs and their events at once, as one JSON document.

The driver takes several times as long to write an array for each column.
"""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
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
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.event_marks import is_near
from db.facts.history import LASTING
from db.json_values import dumps
from db.queries.rows import AnySelect
from db.tables import job_event_table, job_table

job, event = job_table.c, job_event_table.c

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

# What is only written if a fact reports it: most facts report none of it.
GROUPS = {
    "description": (
        *("described", "queue", "priority", "requested_by", "scheduled_at"),
        *("parent_id", "batch", "tags"),
    ),
    "payload": ("payload",),
    "result": ("result",),
    "error": ("last_error_code", "last_error_message", "error_group"),
}
_KEYS = ("id", "external_id")
# `type` has no default: a row to insert must have it.
_COLUMNS = ("type", "max_attempts", "event_seq", "status", "attempt", "updated_at", *LASTING)
_EVENT = ("job_id", "seq", "ts", "prev_status", "next_status", "attempt", "detail")
_STORED = (
    *("id", "source_id", "type", "event_seq", "status", "attempt", "updated_at", *LASTING),
    *("queue", "priority", "requested_by", "scheduled_at", "parent_id", "batch"),
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


def jobs_with_near_times(org_id: Any, job_ids: Sequence[Any]) -> AnySelect:
    """Build the reading of which jobs have events whose times were not reported as exact."""
    statement = select(event.job_id).where(
        event.org_id == org_id, event.job_id == any_(literal(job_ids, ARRAY(Uuid())))
    )
    return statement.where(is_near(event.detail)).distinct()


def groups_of(reported: Mapping[str, Any]) -> list[str]:
    """Return the names of the GROUPS that are reported."""
    return [group for group, names in GROUPS.items() if names[0] in reported]


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as the parameter of a statement on many rows."""
    return dumps(rows).decode()


def _given(names: Sequence[str], table: Table) -> str:
    columns = ", ".join(f"{name} {table.c[name].type.compile(_DIALECT)}" for name in names)
    return f"json_to_recordset(CAST(:rows AS json)) AS given ({columns})"


def _made(statement: str, *own: str) -> TextClause:
    return text(statement.strip()).bindparams(
        bindparam("rows", type_=Text()), *(bindparam(name, type_=Uuid()) for name in own)
    )


def _inserting(names: Sequence[str]) -> str:
    return f"""
    INSERT INTO job (org_id, source_id, {", ".join(names)})
    SELECT :org_id, :source_id, {", ".join(f"given.{name}" for name in names)}
    FROM {_given(names, job_table)} ORDER BY given.id
    """


_ALL = (*_KEYS, *_COLUMNS, *(name for names in GROUPS.values() for name in names))
INSERT_JOBS = _made(
    f"{_inserting(_ALL)} ON CONFLICT DO NOTHING RETURNING id", "org_id", "source_id"
)


@cache
def updating(groups: frozenset[str]) -> TextClause:
    """Return the statement that changes jobs, which must exist; of GROUPS only these.

    Only an INSERT finds them by their key, whatever PostgreSQL knows of the organisation: an UPDATE
    may read all its jobs.
    """
    reported = (name for group in GROUPS if group in groups for name in GROUPS[group])
    changed = (*_COLUMNS, *reported)
    setting = ", ".join(f"{name} = excluded.{name}" for name in changed)
    resolved = f"ON CONFLICT (org_id, id) DO UPDATE SET {setting}"
    return _made(f"{_inserting((*_KEYS, *changed))} {resolved}", "org_id", "source_id")


INSERT_EVENTS = _made(
    f"""
    INSERT INTO job_event (org_id, {", ".join(_EVENT)})
    SELECT :org_id, {", ".join(f"given.{name}" for name in _EVENT)}
    FROM {_given(_EVENT, job_event_table)}
    """,
    "org_id",
)
# One for each job: joined with a list, it may read all events of the organisation.
DELETE_EVENTS = text(
    "DELETE FROM job_event WHERE org_id = :org_id AND job_id = :job_id AND seq >= :seq"
).bindparams(
    bindparam("org_id", type_=Uuid()),
    bindparam("job_id", type_=Uuid()),
    bindparam("seq", type_=event.seq.type),
)
