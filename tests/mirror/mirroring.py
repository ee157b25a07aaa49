"""What tests of mirrors share: one copy of a queue, and what Joblens then answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from db.facts import Source
from db.session_scope import create_worker_engine
from mirror.ledger import Ledger
from mirror.poll import Poller
from mirror.reading import Connection, Found, connect, find_queues
from tests.support.service import ORG, Api

JOBS = """
query ($after: String) {
  jobs(first: 100, after: $after, orderBy: {field: CREATED_AT, direction: ASC}) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id type queue status priority attempt maxAttempts payload result
      lastErrorCode lastErrorMessage createdAt scheduledAt startedAt finishedAt
      attempts(last: 50) { number startedAt finishedAt outcome errorCode errorMessage }
      events(first: 100) { nodes { ts prevStatus nextStatus attempt detail } }
    }
  }
}
"""


@asynccontextmanager
async def engine_of(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_worker_engine(url)
    yield engine
    await engine.dispose()


async def found_in(connection: Connection, kind: str) -> Found:
    """Find the queue of this kind in a database."""
    [found] = [each for each in await find_queues(connection) if each.adapter.kind == kind]
    return found


async def copy(ledger_url: str, queue_url: str, name: str, kind: str) -> None:
    """Copy all jobs of a queue into the ledger, as a source of this name."""
    connection = await connect(queue_url)
    async with engine_of(ledger_url) as engine:
        found = await found_in(connection, kind)
        poller = Poller(found, Ledger(engine, UUID(ORG), Source(name, kind)), {})
        await poller.poll(connection)
        while await poller.backfill(connection):
            pass
    await connection.close()


async def jobs_of(service: Api) -> dict[str, Any]:
    """Get all jobs, by their ids, as samples tell them."""
    jobs: dict[str, Any] = {}
    after = None
    while True:
        page = (await service.query(JOBS, {"after": after}))["jobs"]
        for job in page["nodes"]:
            job["events"] = [
                [event[name] for name in ("ts", "prevStatus", "nextStatus", "attempt")]
                for event in job["events"]["nodes"]
            ]
            job["attempts"].sort(key=lambda attempt: attempt["number"])
            jobs[job["id"]] = job
        if not page["pageInfo"]["hasNextPage"]:
            return jobs
        after = page["pageInfo"]["endCursor"]
