"""How PostgreSQL runs the statements that db.queries builds: catches them, explains them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.effort import Effort
from db.engine import APP_ROLE, Scope
from db.request_session import RequestSession

# PostgreSQL plans a prepared statement for its parameters five times, then weighs a general plan.
EXECUTIONS = 6

Query = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True)
class Plan:
    """A plan's tree of nodes, as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) gives it."""

    root: dict[str, Any]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.get("Plans", ()))

    @property
    def kinds(self) -> set[str]:
        return {node["Node Type"] for node in self}

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self if "Index Name" in node}

    @property
    def rows_read(self) -> list[float]:
        """How many rows each scan of a table found, also those that a condition then dropped."""
        return [_rows_read(node) for node in self if "Relation Name" in node]

    @property
    def rounding(self) -> float:
        """By how much `rows_read` may be off: before 18, PostgreSQL rounds the rows of each loop."""
        scans = [node for node in self if "Relation Name" in node and node["Actual Loops"] > 1]
        return sum(
            node["Actual Loops"] / 2 for node in scans if isinstance(node["Actual Rows"], int)
        )

    @property
    def blocks(self) -> int:
        """How many blocks were looked at, in memory or not."""
        return int(self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"])


def _rows_read(scan: dict[str, Any]) -> float:
    dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    found = scan["Actual Rows"] + sum(scan.get(name, 0) for name in dropped)
    return float(found * scan["Actual Loops"])


async def explain(
    engine: AsyncEngine,
    url: str,
    org_id: UUID,
    query: Query,
    *,
    effort: Effort = Effort.STEADY,
    organisations: int | None = None,
) -> list[Plan]:
    """Run the query, then get the plans of the statement it sent: for its parameters, and later.

    Both as requests run it: as joblens_app, in a transaction that names the organisation. The rest
    is as explain_sent has it.
    """
    scope = Scope(org_id, statement_timeout_seconds=60)
    # Counts ask first whether there are tallies.
    (statement,) = [
        each for each in await caught(engine, scope, query) if "FROM tally_state" not in each[0]
    ]
    return await explain_sent(url, scope, *statement, effort=effort, organisations=organisations)


async def explain_sent(
    url: str,
    scope: Scope,
    sql: str,
    parameters: Sequence[Any],
    *,
    effort: Effort = Effort.STEADY,
    organisations: int | None = None,
) -> list[Plan]:
    """Get the plans of a statement, which is rolled back: for its parameters, and later.

    `organisations`: of how many the statistics know, in place of those that there are.
    """
    connection = await asyncpg.connect(url)
    try:
        own = replace(scope, read_only=scope.read_only and organisations is None)
        await connection.execute(
            ";".join([*own.begin_statements(), *own.effort_statements(effort)])
        )
        if organisations is not None:
            await connection.execute(
                "RESET ROLE;"
                f"ALTER TABLE job ALTER COLUMN org_id SET (n_distinct = {organisations});"
                f"ALTER TABLE job_event ALTER COLUMN org_id SET (n_distinct = {organisations});"
                f"ANALYZE job (org_id), job_event (org_id); SET LOCAL ROLE {APP_ROLE}"
            )
        await connection.execute(f"PREPARE caught AS {sql}")
        values = f"({', '.join(map(_literal, parameters))})" if parameters else ""
        execute = f"EXECUTE caught {values}"
        explained = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {execute}"
        first = await connection.fetchval(explained)
        for _ in range(EXECUTIONS - 2):
            await connection.execute(f"EXPLAIN {execute}")
        last = await connection.fetchval(explained)
        return [Plan(orjson.loads(text)[0]["Plan"]) for text in (first, last)]
    finally:
        await connection.close()


async def caught(
    engine: AsyncEngine, scope: Scope, query: Query
) -> list[tuple[str, Sequence[Any]]]:
    """Run the query without a commit; return the statements that it sent, and their parameters."""
    statements: list[tuple[str, Sequence[Any]]] = []

    def catch(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        statements.append((sql, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", catch)
    try:
        async with RequestSession(engine, scope) as session, session.use() as begun:
            await query(begun)
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", catch)
    return statements


def _literal(value: Any) -> str:
    """Write a parameter as text, which takes the type that the statement gives it."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"'{{{','.join(map(str, value))}}}'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"
