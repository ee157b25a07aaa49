"""Sums the events of all organisations, again and again, in the background of a process.

Several processes may do so: each organisation is summed by one of them at a time.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import EngineOptions, Scope, create_engine
from db.request_session import RequestSession
from db.tallies.summing import MAX_KEYS, STATEMENT_TIMEOUT_SECONDS, Outcome, sum_once

APPLICATION_NAME = "joblens tally"
# After an error, such as of a database that is not migrated, or read only.
RETRY_SECONDS = 30.0
_UNTALLIED = text("SELECT untallied_orgs()")
_NO_ORG = UUID(int=0)

log = structlog.get_logger("joblens.tallies")


def create_tally_engine(url: str) -> AsyncEngine:
    """Create an engine of one connection, with the time that sums may take."""
    timeout = STATEMENT_TIMEOUT_SECONDS + 5
    options = EngineOptions(
        pool_size=1,
        pool_overflow=0,
        command_timeout_seconds=timeout,
        application_name=APPLICATION_NAME,
    )
    return create_engine(url, options)


async def list_untallied_orgs(engine: AsyncEngine) -> Sequence[UUID]:
    """List the organisations that have events that are not summed; none on Citus."""
    scope = Scope(_NO_ORG, STATEMENT_TIMEOUT_SECONDS)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        return (await begun.execute(_UNTALLIED)).scalars().all()


class Tallier:
    """Sums every `interval_seconds`, from `start` to `stop`."""

    def __init__(self, url: str, interval_seconds: float, max_keys: int = MAX_KEYS) -> None:
        self._engine = create_tally_engine(url)
        self._interval_seconds = interval_seconds
        self._max_keys = max_keys
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to sum."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop; what a transaction has not committed is summed later."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._engine.dispose()

    async def _run(self) -> None:
        is_failing = False
        while True:
            wait = self._interval_seconds
            try:
                if await self._sum_each():
                    wait = 0.0
                is_failing = False
            except Exception as error:  # noqa: BLE001 - any error is retried
                if not is_failing:
                    log.warning("cannot sum events", reason=type(error).__name__)
                is_failing, wait = True, max(wait, RETRY_SECONDS)
            await asyncio.sleep(wait)

    async def _sum_each(self) -> bool:
        """Run one transaction for each organisation; return whether some have more to sum."""
        outcomes = [
            (await sum_once(self._engine, org_id, max_keys=self._max_keys)).outcome
            for org_id in await list_untallied_orgs(self._engine)
        ]
        return Outcome.MORE in outcomes
