"""Whether PostgreSQL finds the SET expressions of a statement immutable, by its own test of indexes.

Citus refuses others within CASE and COALESCE. Columns and parameters become columns of a table.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
from pglast import ast, parse_sql
from pglast.stream import RawStream
from pglast.visitors import Visitor

from tests.support.shards import nodes

Assignment = tuple[str, Any]


async def mutable(connection: Any, sql: str) -> list[str]:
    """Return the SET expressions that are not immutable. The tables are those of the database."""
    return [
        fault
        for raw in parse_sql(sql)
        for write, assignments, scope in _writes(raw.stmt, None)
        for fault in await _mutable(connection, sql, write, assignments, scope)
    ]


def _writes(node: Any, scope: Any) -> Iterator[tuple[Any, list[Assignment], Any]]:
    """Yield the statements that change columns, and the WITH clause that they see."""
    for each in nodes(node):
        scope = getattr(each, "withClause", None) or scope
        if isinstance(each, ast.UpdateStmt):
            yield each, list(_assignments(each.targetList)), scope
        elif isinstance(each, ast.InsertStmt) and each.onConflictClause is not None:
            targets = each.onConflictClause.targetList
            yield each, list(_assignments(targets or ())), scope


def _assignments(targets: Any) -> Iterator[Assignment]:
    for target in targets:
        value = target.val
        if isinstance(value, ast.MultiAssignRef):
            if value.colno == 1:
                yield target.name, value.source
        else:
            yield target.name, value


async def _mutable(
    connection: Any, sql: str, write: Any, assignments: list[Assignment], scope: Any
) -> list[str]:
    parameters = [each.name for each in (await connection.prepare(sql)).get_parameters()]
    faults = []
    for column, value in assignments:
        if any(isinstance(each, ast.SelectStmt) for each in nodes(value)):
            faults.append(f"SET {column}: a subquery")
            continue
        text, columns = _with_columns(value)
        kinds = await _kinds(connection, write, columns, parameters, scope)
        fault = await _refusal(connection, text, kinds)
        if fault:
            faults.append(f"SET {column} = {RawStream()(value)}: {fault}")
    return faults


class _Columns(Visitor):  # type: ignore[misc]
    """Replaces columns and parameters by columns of one table."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def _replace(self, node: Any) -> Any:
        name = self.found.setdefault(RawStream()(node), (f"c{len(self.found)}", node))[0]
        return ast.ColumnRef(fields=(ast.String(sval=name),))

    def visit_ColumnRef(self, _ancestors: Any, node: Any) -> Any:  # noqa: N802 - pglast's name
        return self._replace(node)

    def visit_ParamRef(self, _ancestors: Any, node: Any) -> Any:  # noqa: N802 - pglast's name
        return self._replace(node)


def _with_columns(value: Any) -> tuple[str, dict[str, Any]]:
    (raw,) = parse_sql(f"SELECT {RawStream()(value)}")
    columns = _Columns()
    columns(raw.stmt)
    return str(RawStream()(raw.stmt.targetList[0].val)), dict(columns.found.values())


async def _kinds(
    connection: Any, write: Any, columns: dict[str, Any], parameters: list[str], scope: Any
) -> dict[str, str]:
    """Return the types of columns and parameters."""
    kinds = {
        name: parameters[node.number - 1]
        for name, node in columns.items()
        if isinstance(node, ast.ParamRef)
    }
    others = {name: node for name, node in columns.items() if name not in kinds}
    if others:
        listed = ", ".join(f"{RawStream()(node)} AS {name}" for name, node in others.items())
        # Wherever they are used, they have these types.
        listed += "".join(f", ${n}::{kind}" for n, kind in enumerate(parameters, 1))
        query = f"SELECT {listed} FROM {', '.join(_sources(write))}"
        if scope is not None:
            query = f"{_with(scope)} {query}"
        prepared = await connection.prepare(query)
        found = {each.name: each.type.name for each in prepared.get_attributes()}
        kinds |= {name: found[name] for name in others}
    return kinds


def _with(scope: Any) -> str:
    # The statement itself may be one of them; what it sees comes before it.
    seen = [
        f"{each.ctename} AS ({RawStream()(each.ctequery)})"
        for each in scope.ctes
        if isinstance(each.ctequery, ast.SelectStmt)
    ]
    return f"WITH {', '.join(seen)}" if seen else ""


def _sources(write: Any) -> Iterator[str]:
    yield str(RawStream()(write.relation))
    if isinstance(write, ast.InsertStmt):
        yield f"{write.relation.relname} AS excluded"
    else:
        yield from (str(RawStream()(each)) for each in write.fromClause or ())


async def _refusal(connection: Any, text: str, kinds: dict[str, str]) -> str | None:
    """Return why PostgreSQL builds no index on the expression, if it does not."""
    name = f"scratch_{uuid4().hex}"
    columns = ", ".join(f"{each} {kind}" for each, kind in {**kinds, "unused": "int"}.items())
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
        # Any type may be null; only some may be sorted.
        await connection.execute(f"CREATE INDEX ON {name} ((({text}) IS NULL))")
    except asyncpg.PostgresError as error:
        return str(error)
    finally:
        await transaction.rollback()
    return None
