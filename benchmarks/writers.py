"""The ways to change a job's status that are compared, each over connections of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import cycle
from uuid import UUID

import asyncpg

from benchmarks.ledger import ORG
from benchmarks.load import Client, graphql
from benchmarks.statements import Statements
from db.engine import EngineOptions
from db.statuses import JobStatus
from joblens import JobRepository, create_worker_engine, session_scope

Step = tuple[UUID, JobStatus, JobStatus]
Move = Callable[[Step], Awaitable[None]]
# So many connections.
Connect = Callable[[int], AbstractAsyncContextManager[list[Move]]]

QUERY = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { id status } } }
}"""


def steps_of(ids: list[UUID]) -> Iterator[Step]:
    """Start each job and give it back, around and around."""
    for job_id in cycle(ids):
        yield job_id, JobStatus.QUEUED, JobStatus.RUNNING
        yield job_id, JobStatus.RUNNING, JobStatus.QUEUED


def bare(url: str, statements: Mapping[JobStatus, Statements]) -> Connect:
    """Send the recorded statements, and do nothing else."""

    @asynccontextmanager
    async def connect(number: int) -> AsyncIterator[list[Move]]:
        def of(connection: asyncpg.Connection) -> Move:
            async def move(step: Step) -> None:
                job_id, _, to = step
                await statements[to].send(connection, job_id)

            return move

        connections = [await asyncpg.connect(url) for _ in range(number)]
        try:
            yield list(map(of, connections))
        finally:
            for each in connections:
                await each.close()

    return connect


def through_repository(url: str, *, notify_seconds: float | None) -> Connect:
    """Change a job's status as workers in one process of Python do."""

    @asynccontextmanager
    async def connect(number: int) -> AsyncIterator[list[Move]]:
        options = EngineOptions(number, pool_overflow=0, notify_seconds=notify_seconds)
        engine = create_worker_engine(url, options)

        async def move(step: Step) -> None:
            job_id, before, to = step
            async with session_scope(ORG, engine=engine) as session:
                await JobRepository(session).update_job_status(job_id, to, expected=before)

        try:
            yield [move] * number
        finally:
            await engine.dispose()

    return connect


def through_api(port: int) -> Connect:
    """Change a job's status as a worker of any language does."""

    @asynccontextmanager
    async def connect(number: int) -> AsyncIterator[list[Move]]:
        def of(client: Client) -> Move:
            async def move(step: Step) -> None:
                job_id, before, to = step
                wanted = {"id": str(job_id), "from": before.name, "to": to.name}
                answer = await client.send(graphql(QUERY, input=wanted))
                if f'"status":"{to.name}"'.encode() not in answer:
                    raise RuntimeError(answer.decode())

            return move

        clients = [await Client.connect(port) for _ in range(number)]
        try:
            yield list(map(of, clients))
        finally:
            for each in clients:
                await each.close()

    return connect
