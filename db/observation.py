"""Reports the statements of an engine as they end: SQLAlchemy's, and those of db.statements."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import SCOPE_OPTION
from db.pool import FairPool, StatementEnded


def observe_statements(engine: AsyncEngine, ended: StatementEnded) -> None:
    """Report each statement of the engine, but those that begin and end transactions."""
    assert isinstance(engine.pool, FairPool)
    # For db.statements: events of SQLAlchemy would take longer.
    engine.pool.on_statement = ended
    dialect, target = engine.dialect, engine.sync_engine
    event.listen(target, "do_execute", _reporting(dialect.do_execute, ended))
    event.listen(target, "do_executemany", _reporting(dialect.do_executemany, ended))


def is_observed(engine: AsyncEngine) -> bool:
    """Return whether statements of the engine are reported."""
    return isinstance(engine.pool, FairPool) and engine.pool.on_statement is not None


def _reporting(execute: Callable[..., None], ended: StatementEnded) -> Callable[..., bool]:
    """Make a listener that executes a statement instead of SQLAlchemy, and reports it."""

    def run(cursor: Any, sql: str, values: Any, context: Any) -> bool:
        connection = context.root_connection
        if SCOPE_OPTION not in connection.get_execution_options():
            # SQLAlchemy's own, when it first connects.
            return False
        began = perf_counter()
        try:
            execute(cursor, sql, values, context)
        except BaseException as error:
            ended(connection, sql, began, error)
            raise
        ended(connection, sql, began, None)
        return True

    return run
