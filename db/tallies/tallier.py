"""Sums the events of all organisations, again and again, in the background of a process.

Several processes may do so: each organisation is summed by one of them at a time.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.background_task import BackgroundTask
from db.connections import Pooler
from db.engine import EngineOptions, Scope, create_engine
from db.request_session import RequestSession
from db.tallies.summing import MAX_KEYS, STATEMENT_TIMEOUT_SECONDS, Outcome, sum_once

APPLICATION_NAME = "joblens tally"
_UNTALLIED = text("SELECT untallied_orgs()")
_NO_ORG = UUID(int=0)


def create_tally_engine(url: str) -> AsyncEngine:
    """Create an engine of one connection, with the time that sums may take."""
    timeout = STATEMENT_TIMEOUT_SECONDS + 5
    options = EngineOptions(
        pool_size=1,
        pool_overflow=0,
        command_timeout_seconds=timeout,
        application_name=APPLICATION_NAME,
        # Its statements are too rare to be worth preparing.
        pooler=Pooler.TRANSACTION,
    )
    return create_engine(url, options)


async def list_untallied_orgs(engine: AsyncEngine) -> Sequence[UUID]:
    """List the organisations that have events that are not summed; none on Citus."""
    scope = Scope(_NO_ORG, STATEMENT_TIMEOUT_SECONDS)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        return (await begun.execute(_UNTALLIED)).scalars().all()


class Tallier(BackgroundTask):
    """Sums the events of all organisations."""

    failure = "cannot sum events"
    name = "tally"

    def __init__(self, url: str, interval_seconds: float, max_keys: int = MAX_KEYS) -> None:
        super().__init__(create_tally_engine(url), interval_seconds)
        self._max_keys = max_keys

    async def work(self) -> bool:
        """Run one transaction for each organisation; return whether some have more to sum."""
        outcomes = [
            (await sum_once(self._engine, org_id, max_keys=self._max_keys)).outcome
            for org_id in await list_untallied_orgs(self._engine)
        ]
        return Outcome.MORE in outcomes
