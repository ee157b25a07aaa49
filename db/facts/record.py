"""Records facts: in any order, repeated, late, from many processes at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.database_errors import DatabaseUnavailableError
from db.facts import statements
from db.facts.fact import Fact
from db.facts.history import Event
from db.facts.ids import canonical, hashed_id_of, job_id_of
from db.facts.jobs import Change, ObservedJob
from db.facts.sources import Source, ensure_source
from db.facts.storable import id_fault
from db.json_values import loads
from db.queries.rows import AnyRow, read
from db.statuses import JobStatus
from db.tallies.error_jobs import recount
from db.tallies.withdrawal import withdraw

# How often it is tried while other processes create and delete the same jobs.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class FactFault:
    """Why the fact at `index` could not be recorded: what its `field` says of the job."""

    index: int
    field: str
    message: str


@dataclass(slots=True)
class Recorded:
    """How many facts reported something new, how many did not, and those that belong to no job."""

    recorded: int = 0
    known: int = 0
    faults: list[FactFault] = field(default_factory=list)


async def record_facts(
    session: AsyncSession,
    org_id: UUID,
    source: Source,
    facts: Sequence[Fact],
    *,
    now: datetime | None = None,
) -> Recorded:
    """Record facts of jobs of a source, which is added if there is none with its name.

    A job is what its facts add up to, in any order and however often they are reported: its first
    fact creates it, and a late one replaces the events after it, with a new `seq`. What of a fact
    cannot be stored is replaced by a note. `now`: when a client reported them. Locks the jobs, in
    the order of their ids. Raises TooManySourcesError, and DatabaseUnavailableError if its jobs
    keep being created and deleted by others.
    """
    result = Recorded()
    by_name: dict[str, list[Fact]] = defaultdict(list)
    for index, fact in enumerate(facts):
        if (fault := id_fault(fact.external_id)) is None:
            by_name[canonical(fact.external_id)].append(fact)
        else:
            result.faults.append(FactFault(index, "externalId", fault))
    if by_name:
        source_id = await ensure_source(session, org_id, source, now)
        await _Recording(session, org_id, source.name, source_id, by_name, result).run()
    return result


@dataclass(slots=True)
class _Recording:
    """One call of `record_facts`. `by_name`: the facts of each job, by what the source calls it."""

    session: AsyncSession
    org_id: UUID
    source: str
    source_id: UUID
    by_name: Mapping[str, list[Fact]]
    result: Recorded
    is_changed: bool = False

    async def run(self) -> None:
        """Record the facts of all jobs."""
        waiting: Collection[str] = self.by_name.keys()
        for _ in range(MAX_TRIES):
            waiting = await self._record(waiting)
            if not waiting:
                break
        else:
            raise DatabaseUnavailableError("The jobs of these facts keep being deleted.")
        if self.is_changed:
            await notify(self.session, self.org_id)

    async def _record(self, wanted: Collection[str]) -> list[str]:
        """Record the facts of jobs; return those that another process created meanwhile."""
        names, rows = await self._find(wanted)
        jobs = await self._jobs(names, rows)
        new = [job for job in jobs if job.is_new]
        created = await self._create(new, names)
        await self._change([job for job in jobs if job.recorded and not job.is_new], names)
        missed = {job.id for job in new} - created
        for job in jobs:
            if job.id not in missed:
                self.result.recorded += job.recorded
                self.result.known += len(self.by_name[names[job.id]]) - job.recorded
        return [names[job_id] for job_id in missed]

    async def _find(self, wanted: Collection[str]) -> tuple[dict[UUID, str], dict[UUID, AnyRow]]:
        """Return the names of the jobs by their ids, and the rows of those that exist, locked."""
        names = {job_id_of(self.source, name): name for name in wanted}
        rows = await self._lock(names)
        taken = [job_id for job_id, row in rows.items() if row.source_id != self.source_id]
        if not taken:
            return names, rows
        # A UUID that the source gave is the id of a job that is not of this source.
        other = {hashed_id_of(self.source, name): name for name in map(names.pop, taken)}
        own = {job_id: row for job_id, row in rows.items() if job_id in names}
        return names | other, own | await self._lock(other)

    async def _lock(self, ids: Collection[UUID]) -> dict[UUID, AnyRow]:
        found = await read(self.session, statements.lock_jobs, self.org_id, _in_order(ids))
        return {row.id: row for row in found}

    async def _jobs(
        self, names: Mapping[UUID, str], rows: Mapping[UUID, AnyRow]
    ) -> list[ObservedJob]:
        jobs = [
            ObservedJob(
                job_id,
                _plain(rows[job_id]) if job_id in rows else None,
                self.source,
                self.by_name[names[job_id]],
            )
            for job_id in _in_order(names)
        ]
        stored = [job for job in jobs if not job.is_new]
        unsure = [job.id for job in stored if job.is_continued and job.needs_exact]
        near = await self._with_near_times(unsure)
        placed = [job for job in stored if job.id in near or not job.is_continued]
        events = await self._events([job.id for job in placed])
        for job in placed:
            job.place_among(events[job.id])
        return jobs

    async def _with_near_times(self, ids: Sequence[UUID]) -> set[UUID]:
        if not ids:
            return set()
        found = await read(self.session, statements.jobs_with_near_times, self.org_id, ids)
        return {row.job_id for row in found}

    async def _events(self, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[int, Event]]:
        events: dict[UUID, dict[int, Event]] = defaultdict(dict)
        if ids:
            for row in await read(self.session, statements.events_of, self.org_id, ids):
                events[row.job_id][row.seq] = _event(row)
        return events

    async def _create(self, jobs: Sequence[ObservedJob], names: Mapping[UUID, str]) -> set[UUID]:
        if not jobs:
            return set()
        changes = [job.change for job in jobs]
        given = {**self._own, "rows": statements.as_json(self._rows(changes, names))}
        inserted = await self.session.execute(statements.INSERT_JOBS, given)
        created = set(inserted.scalars())
        await self._append([each for each in changes if each.job_id in created])
        return created

    async def _change(self, jobs: Sequence[ObservedJob], names: Mapping[UUID, str]) -> None:
        changes = [job.change for job in jobs]
        if not changes:
            return
        removed = {e.job_id: e.removed_from for e in changes if e.removed_from is not None}
        if removed:
            # As long as the rows of the jobs are as they were when the events were summed.
            await withdraw(self.session, self.org_id, removed)
            late = [{"org_id": self.org_id, "job_id": i, "seq": seq} for i, seq in removed.items()]
            await self.session.execute(statements.DELETE_EVENTS, late)
        groups: dict[frozenset[str], list[Change]] = defaultdict(list)
        for change in changes:
            groups[frozenset(statements.groups_of(change.reported))].append(change)
        for reported, some in groups.items():
            given = {**self._own, "rows": statements.as_json(self._rows(some, names))}
            await self.session.execute(statements.updating(reported), given)
        await self._append(changes)
        # Those with new events are counted again as these are summed.
        silent = [each for each in changes if not each.events]
        to_recount = [
            e.job_id for e in silent if e.job_id in removed or "error_group" in e.reported
        ]
        if to_recount:
            await recount(self.session, self.org_id, to_recount)

    @property
    def _own(self) -> dict[str, UUID]:
        return {"org_id": self.org_id, "source_id": self.source_id}

    def _rows(self, changes: Iterable[Change], names: Mapping[UUID, str]) -> list[dict[str, Any]]:
        return [
            {"id": each.job_id, "external_id": names[each.job_id], **each.columns, **each.reported}
            for each in changes
        ]

    async def _append(self, changes: Sequence[Change]) -> None:
        rows = [row for change in changes for row in _rows(change)]
        self.is_changed |= bool(changes)
        if rows:
            given = {"org_id": self.org_id, "rows": statements.as_json(rows)}
            await self.session.execute(statements.INSERT_EVENTS, given)


def _in_order(ids: Iterable[UUID]) -> list[UUID]:
    # Their numbers are compared in C.
    return sorted(ids, key=attrgetter("int"))


def _event(row: AnyRow) -> Event:
    before = None if row.prev_status is None else JobStatus(row.prev_status)
    detail = None if row.noted is None else loads(row.noted)
    return Event(row.ts, before, JobStatus(row.next_status), row.attempt, detail)


def _plain(row: AnyRow) -> dict[str, Any]:
    values: dict[str, Any] = row._asdict()
    for name in ("tags", "described"):
        values[name] = None if values[name] is None else loads(values[name])
    return values


def _rows(change: Change) -> Iterator[dict[str, Any]]:
    for seq, event in change.events.items():
        yield {
            "job_id": change.job_id,
            "seq": seq,
            "ts": event.ts,
            "prev_status": event.prev_status,
            "next_status": event.next_status,
            "attempt": event.attempt,
            "detail": event.detail,
        }
