"""Changes of the status of many jobs, each by a transition of its own, in few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.backoff import Backoff
from db.commands.events import change_with_events
from db.commands.transition_statements import Given, Shape, change_each, lock, seconds_of
from db.commands.transitions import STATE_COLUMNS, Transition, given_of, refusal, shape_of
from db.outcomes import ChangedJob, IllegalTransition, JobNotFound, ReadOnlyJob
from db.queries.jobs import JobRow, load_jobs_by_id
from db.queries.rows import read

Change = tuple[UUID, Transition]
Outcome = ChangedJob | IllegalTransition | JobNotFound | ReadOnlyJob

_FIELDS = tuple(field.name for field in fields(Given))


@dataclass(frozen=True, slots=True)
class _Writer:
    """The arguments that all statements of a batch have in common."""

    session: AsyncSession
    org_id: UUID
    now: datetime
    backoff: Backoff
    columns: frozenset[str]


async def change_jobs(
    session: AsyncSession,
    org_id: UUID,
    changes: Sequence[Change],
    *,
    now: datetime,
    backoff: Backoff,
    returning: Collection[str] = (),
) -> list[Outcome]:
    """Change the status of jobs as `change_job` does one after another.

    The outcomes are in the order given. First locks all the jobs, in the order of their ids. Then
    takes one statement for each shape of the transitions, and one for the jobs that are not
    changed; again for the second change of the same job, and so on. Each change of a failed job to
    QUEUED gets a random factor of its own.
    """
    if not changes:
        return []
    writer = _Writer(session, org_id, now, backoff, STATE_COLUMNS.union(returning))
    ids = list({job_id for job_id, _ in changes})
    locked = {row.id for row in await read(session, lock, org_id, ids)}
    outcomes: dict[int, Outcome] = {
        index: JobNotFound(job_id)
        for index, (job_id, _) in enumerate(changes)
        if job_id not in locked
    }
    latest: dict[UUID, JobRow] = {}
    for places in _rounds(changes, locked):
        wanted = dict(changes[place] for place in places)
        changed = await _change(writer, wanted)
        latest |= changed
        latest |= await _load(writer, wanted.keys() - latest.keys())
        for place in places:
            job_id, transition = changes[place]
            outcomes[place] = (
                ChangedJob(changed[job_id])
                if job_id in changed
                else refusal(job_id, transition, latest[job_id])
            )
    return [outcomes[place] for place in range(len(changes))]


def _rounds(changes: Sequence[Change], locked: Collection[UUID]) -> list[list[int]]:
    """Return the places of the first change of each job, those of its second one, and so on."""
    rounds: list[list[int]] = []
    count: dict[UUID, int] = defaultdict(int)
    for place, (job_id, _) in enumerate(changes):
        if job_id in locked:
            if count[job_id] == len(rounds):
                rounds.append([])
            rounds[count[job_id]].append(place)
            count[job_id] += 1
    return rounds


async def _change(writer: _Writer, wanted: Mapping[UUID, Transition]) -> dict[UUID, JobRow]:
    """Change jobs that are locked; return the rows of those whose status allows it."""
    details = {job_id: transition.event_detail for job_id, transition in wanted.items()}
    changed: dict[UUID, JobRow] = {}
    for shape, ids, given in _groups(wanted, writer.backoff):
        rows = await change_with_events(
            *(writer.session, writer.org_id, change_each),
            *(ids, shape, given, writer.now, seconds_of(writer.backoff, shape), writer.columns),
            detail=details.__getitem__,
        )
        changed |= {row.id: row for row in rows}
    return changed


def _groups(
    wanted: Mapping[UUID, Transition], backoff: Backoff
) -> Iterator[tuple[Shape, list[UUID], Given]]:
    """Put together the changes of one shape, their values as lists."""
    groups: dict[Any, list[tuple[UUID, list[Any]]]] = defaultdict(list)
    for job_id, transition in wanted.items():
        if transition.sources:
            shape = shape_of(transition)
            given = given_of(transition, shape, backoff.jittered())
            values = [getattr(given, name) for name in _FIELDS]
            groups[shape, tuple(value is None for value in values)].append((job_id, values))
    for (shape, missing), items in groups.items():
        columns = zip(*(values for _, values in items), strict=True)
        lists = [None if no else list(each) for no, each in zip(missing, columns, strict=True)]
        yield shape, [job_id for job_id, _ in items], Given(*lists)


async def _load(writer: _Writer, ids: Collection[UUID]) -> dict[UUID, JobRow]:
    if not ids:
        return {}
    rows = await load_jobs_by_id(writer.session, writer.org_id, list(ids), writer.columns)
    return {row.id: row for row in rows}
