"""Logs slow operations and statements, never their values; and the plans of some statements."""

import asyncio
from contextlib import suppress
from math import inf
from time import monotonic

import structlog
from cachetools import TTLCache
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import SCOPE_OPTION, Begun, Scope
from db.explain import explain
from schema.execution.persisted_documents import digest
from server.observability.operations import Ended, Observer, current_operation, forget_operation
from server.settings import Settings

# A statement is explained once in this time, and one statement in that.
SAME_SECONDS, ANY_SECONDS = 600.0, 5.0
REMEMBERED = 1_000
MAX_NAME_LENGTH = 128

log = structlog.get_logger("joblens.slow")


class SlowLog(Observer):
    """Logs what takes at least as long as the settings say."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._engine = engine
        self.operation_seconds = _bound(settings.slow_operation_seconds)
        self.statement_seconds = _bound(settings.slow_statement_seconds)
        self._explains = settings.slow_plans
        self._explained: TTLCache[str, None] = TTLCache(REMEMBERED, SAME_SECONDS)
        self._next_at = 0.0
        self._explaining: asyncio.Task[None] | None = None

    def ended(self, operation: Ended) -> None:
        """Log a slow operation. Its document is known by its hash: its text may hold values."""
        if operation.type == "subscription":
            return
        log.warning(
            "slow operation",
            operation=operation.type,
            operation_name=(operation.operation.name or "")[:MAX_NAME_LENGTH] or None,
            sha256=digest(operation.operation.text),
            organisation=str(operation.org_id),
            code=operation.code,
            cost=operation.operation.cost,
            seconds=round(operation.seconds, 4),
            sql_seconds=round(operation.sql, 4),
            wait_seconds=round(operation.waiting, 4),
            statements=operation.statements,
        )

    def statement(
        self, connection: Connection, sql: str, seconds: float, error: BaseException | None
    ) -> None:
        """Log a slow statement, and explain it if that is wanted and not too often."""
        scope = connection.get_execution_options().get(SCOPE_OPTION)
        if isinstance(scope, Begun):
            scope = scope.scope
        known = scope if isinstance(scope, Scope) else None
        operation = current_operation()
        log.warning(
            "slow statement",
            seconds=round(seconds, 4),
            sql=sql,
            organisation=None if known is None else str(known.org_id),
            operation_name=None if operation is None else operation.operation.name,
            error=None if error is None else type(error).__name__,
        )
        if self._explains and known is not None and self._may_explain(sql):
            self._explaining = asyncio.create_task(self._explain(known, sql))

    async def stop(self) -> None:
        """Cancel what is explained."""
        if self._explaining is not None:
            self._explaining.cancel()
            with suppress(asyncio.CancelledError):
                await self._explaining

    def _may_explain(self, sql: str) -> bool:
        is_busy = self._explaining is not None and not self._explaining.done()
        if is_busy or sql in self._explained or monotonic() < self._next_at:
            return False
        self._explained[sql] = None
        self._next_at = monotonic() + ANY_SECONDS
        return True

    async def _explain(self, scope: Scope, sql: str) -> None:
        # Its own statements are no part of the operation.
        forget_operation()
        try:
            plan = await explain(self._engine, scope, sql)
        except Exception as error:  # noqa: BLE001 - the statement itself was logged
            log.warning("cannot explain a slow statement", reason=type(error).__name__)
            return
        log.warning("plan of a slow statement", sql=sql, plan=plan.splitlines())


def _bound(seconds: float | None) -> float:
    return inf if seconds is None else seconds
