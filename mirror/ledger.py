"""Writing what a mirror has read: facts and checkpoint in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.facts import Fact, Source, ensure_source, record_facts
from db.facts.ids import canonical
from db.facts.mirrored import list_statuses, update_source
from db.session_scope import session_scope
from db.statuses import JobStatus
from mirror.adapters.history import NOT_KEPT, READ

# The facts of one call: see the benchmark of db.facts.
BATCH_FACTS = 500
_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts of one job, in order, and when its rows were read."""

    facts: Sequence[Fact]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """The organisation's jobs of one source."""

    engine: AsyncEngine
    org_id: UUID
    source: Source

    async def write(self, jobs: Sequence[Seen], values: Mapping[str, Any]) -> None:
        """Record the facts of jobs, and change columns of the source, in one transaction."""
        scope = session_scope(
            self.org_id, engine=self.engine, statement_timeout_seconds=_TIMEOUT_SECONDS
        )
        async with scope as session:
            source_id = await ensure_source(session, self.org_id, self.source)
            for batch in _batches(jobs):
                await self._record(session, source_id, batch)
            if values:
                await update_source(session, self.org_id, source_id, values)

    async def states(self, external_ids: Sequence[str]) -> dict[str, tuple[JobStatus, int]]:
        """Return the status and attempt of jobs that the ledger has."""
        names = {canonical(external_id): external_id for external_id in external_ids}
        async with session_scope(self.org_id, engine=self.engine) as session:
            source_id = await ensure_source(session, self.org_id, self.source)
            rows = await list_statuses(session, self.org_id, source_id, list(names))
        return {names[row.external_id]: (JobStatus(row.status), row.attempt) for row in rows}

    async def _record(self, session: AsyncSession, source_id: UUID, jobs: Sequence[Seen]) -> None:
        facts = await self._without_known_gaps(session, source_id, jobs)
        await record_facts(session, self.org_id, self.source, facts)
        if late := await self._unsettled(session, source_id, jobs):
            await record_facts(session, self.org_id, self.source, late)

    async def _without_known_gaps(
        self, session: AsyncSession, source_id: UUID, jobs: Sequence[Seen]
    ) -> list[Fact]:
        """Leave out what stands for attempts that the queue has forgotten but the ledger has."""
        facts = [fact for seen in jobs for fact in seen.facts]
        names = {canonical(fact.external_id) for fact in facts if _is_gap(fact)}
        if not names:
            return facts
        rows = await list_statuses(session, self.org_id, source_id, sorted(names))
        attempts = {row.external_id: row.attempt for row in rows}
        return [
            fact
            for fact in facts
            if not _is_gap(fact)
            or (fact.attempt or 0) > attempts.get(canonical(fact.external_id), -1)
        ]

    async def _unsettled(
        self, session: AsyncSession, source_id: UUID, jobs: Sequence[Seen]
    ) -> list[Fact]:
        """Return facts of the jobs that do not end up with the status that they were read with.

        A queue may take a start back (a snooze) or start its count again (a retry by hand).
        """
        last = {canonical(seen.facts[-1].external_id): seen for seen in jobs if seen.facts}
        rows = await list_statuses(session, self.org_id, source_id, sorted(last))
        return [
            _as_read(last[row.external_id])
            for row in rows
            if JobStatus(row.status) is not last[row.external_id].facts[-1].status
            and row.updated_at <= last[row.external_id].at
        ]


def _is_gap(fact: Fact) -> bool:
    return fact.detail is not None and NOT_KEPT in fact.detail


def _as_read(seen: Seen) -> Fact:
    fact = seen.facts[-1]
    detail = {**(fact.detail or {}), "ts_of": READ}
    return Fact(
        fact.external_id,
        seen.at,
        fact.status,
        None,
        is_exact=False,
        scheduled_at=fact.scheduled_at,
        worker=fact.worker,
        error_code=fact.error_code,
        error_message=fact.error_message,
        detail=detail,
    )


def _batches(jobs: Iterable[Seen]) -> Iterable[list[Seen]]:
    batch: list[Seen] = []
    count = 0
    for seen in jobs:
        if batch and count + len(seen.facts) > BATCH_FACTS:
            yield batch
            batch, count = [], 0
        batch.append(seen)
        count += len(seen.facts)
    if batch:
        yield batch
