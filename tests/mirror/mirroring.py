"""What tests of mirrors share: one copy of a queue, and what Joblens then answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
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


async def histories(ledger_url: str, source: str) -> dict[str, list[str]]:
    """Get the events of each job of a source, by what the source calls it: status and attempt."""
    connection = await asyncpg.connect(ledger_url)
    rows = await connection.fetch(
        "SELECT external_id, next_status, job_event.attempt FROM job_event "
        "JOIN job ON job.org_id = job_event.org_id AND job.id = job_event.job_id "
        "JOIN source ON source.id = job.source_id WHERE source.name = $1 ORDER BY job_id, seq",
        source,
    )
    await connection.close()
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["external_id"], []).append(f"{row['next_status']} {row['attempt']}")
    return found


async def inexact(ledger_url: str) -> int:
    """Count the events whose times were not told."""
    connection = await asyncpg.connect(ledger_url)
    count: int = await connection.fetchval(
        "SELECT count(*) FROM job_event WHERE (detail -> 'joblens' -> 'exact')::boolean IS FALSE"
    )
    await connection.close()
    return count
