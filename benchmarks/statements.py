"""The statements of a change of status as Joblens sends them, recorded, to be sent again bare."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import event

from benchmarks.ledger import ORG
from db.backoff import Backoff
from db.commands.creation import NewJob, create_jobs
from db.commands.transitions import Transition, change_status
from db.engine import Scope, create_engine
from db.request_session import RequestSession
from db.statuses import JobStatus

SCOPE = Scope(ORG, 10.0, read_only=False)
# What `transitionJob { job { id status } }` reads, and what the rules need.
COLUMNS = ("id", "status", "attempt", "max_attempts")
Recorded = list[tuple[str, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Statements:
    """An UPDATE, an INSERT and a notification, with the values of the job they were recorded of."""

    job_id: UUID
    now: datetime
    recorded: Recorded

    async def send(self, connection: asyncpg.Connection, job_id: UUID) -> None:
        """Carry out the same change of another job."""
        (update, update_values), (insert, insert_values), (notify, notify_values) = self.recorded
        now = datetime.now(UTC)
        await connection.execute(SCOPE.begin_sql())
        (row,) = await connection.fetch(update, *self._of(update_values, job_id, now))
        names = insert.partition("(")[2].partition(")")[0].split(", ")
        values = dict(zip(names, self._of(insert_values, job_id, now), strict=True))
        values |= {"seq": row["event_seq"], "attempt": row["attempt"]}
        await connection.execute(insert, *values.values())
        await connection.fetch(notify, *notify_values)
        await connection.execute("COMMIT")

    def _of(self, values: tuple[Any, ...], job_id: UUID, now: datetime) -> list[Any]:
        theirs = {self.job_id: job_id, self.now: now}
        return [
            [job_id] if isinstance(value, list) else theirs.get(value, value) for value in values
        ]


async def record(url: str) -> Mapping[JobStatus, Statements]:
    """Start a job and give it back by the ledger's own commands, and keep what they sent."""
    engine = create_engine(url)
    sent: Recorded = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        sent.append((statement, tuple(values)))

    now = datetime.now(UTC)
    found = {}
    async with RequestSession(engine, SCOPE) as recording, recording.use() as session:
        (made,) = await create_jobs(session, ORG, [NewJob(type="recorded")], now=now)
        event.listen(engine.sync_engine, "before_cursor_execute", keep)
        steps = (JobStatus.QUEUED, JobStatus.RUNNING), (JobStatus.RUNNING, JobStatus.QUEUED)
        for before, to in steps:
            change = Transition(to, expected=before, detail={"by": "anonymous"})
            await change_status(
                session, ORG, [made.job.id], change, now=now, backoff=Backoff(), returning=COLUMNS
            )
            found[to] = Statements(made.job.id, now, sent[:])
            sent.clear()
    await engine.dispose()
    return found
