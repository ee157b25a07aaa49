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
from db.engine import EngineOptions, Scope, create_engine
from db.request_session import RequestSession
from db.statuses import JobStatus

SCOPE = Scope(ORG, 10.0, read_only=False)
# What `transitionJob { job { id status } }` reads, and what the rules need.
COLUMNS = ("id", "status", "attempt", "max_attempts")


@dataclass(frozen=True, slots=True)
class Statements:
    """The statement of a change, with the values of the job that it was recorded of."""

    job_id: UUID
    now: datetime
    sql: str
    values: tuple[Any, ...]

    async def send(self, connection: asyncpg.Connection, job_id: UUID) -> None:
        """Carry out the same change of another job."""
        await connection.execute(SCOPE.begin_sql())
        (_,) = await connection.fetch(self.sql, *self._of(job_id, datetime.now(UTC)))
        await connection.execute("COMMIT")

    def _of(self, job_id: UUID, now: datetime) -> list[Any]:
        return [
            [job_id] if isinstance(value, list) else now if value == self.now else value
            for value in self.values
        ]


async def record(url: str, *, notify_seconds: float | None) -> Mapping[JobStatus, Statements]:
    """Start a job and give it back by the ledger's own commands, and keep what they sent."""
    engine = create_engine(url, EngineOptions(notify_seconds=notify_seconds))
    sent: list[tuple[str, tuple[Any, ...]]] = []

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
            ((sql, values),) = sent
            found[to] = Statements(made.job.id, now, sql, values)
            sent.clear()
    await engine.dispose()
    return found
