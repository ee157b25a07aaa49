"""Contestant (a): the least that can answer the nested page. One statement, PostgreSQL's JSON."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.ledger import ORG

_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

SQL = f"""
SELECT json_build_object('data', json_build_object('jobs', json_build_object(
    'nodes', coalesce(json_agg(job.node), '[]'))))::text
FROM (
    SELECT json_build_object(
        'id', job.id, 'type', job.type, 'queue', job.queue, 'status', upper(job.status),
        'priority', job.priority, 'attempt', job.attempt, 'maxAttempts', job.max_attempts,
        'requestedBy', job.requested_by, 'lastErrorCode', job.last_error_code,
        'lastErrorMessage', job.last_error_message, 'createdAt', {_TIME.format("job.created_at")},
        'startedAt', {_TIME.format("job.started_at")},
        'finishedAt', {_TIME.format("job.finished_at")},
        'events', json_build_object('nodes', coalesce(events.nodes, '[]'))
    ) AS node
    FROM (
        SELECT * FROM job WHERE org_id = $1 AND status = 'failed'
        ORDER BY created_at DESC, id DESC LIMIT $2
    ) AS job
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'id', event.job_id || ':' || event.seq, 'ts', {_TIME.format("event.ts")},
            'prevStatus', upper(event.prev_status), 'nextStatus', upper(event.next_status),
            'attempt', event.attempt, 'detail', event.detail
        )) AS nodes
        FROM (
            SELECT * FROM job_event AS event
            WHERE event.org_id = $1 AND event.job_id = job.id ORDER BY seq LIMIT $3
        ) AS event
    ) AS events
    ORDER BY job.created_at DESC, job.id DESC
) AS job
"""


async def failed_jobs(request: Request) -> Response:
    """Answer the nested page, whatever is asked."""
    async with request.app.state.pool.acquire() as connection:
        body = await connection.fetchval(SQL, ORG, 50, 8)
    return Response(body, media_type="application/json")


async def _leave(_connection: asyncpg.Connection) -> None:
    """Give a connection back as it is: asyncpg's own way takes a round trip."""


def create_app() -> Starlette:
    """Make the application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url = os.environ["BENCHMARK_DATABASE_URL"]
        async with asyncpg.create_pool(url, min_size=1, max_size=10, reset=_leave) as pool:
            app.state.pool = pool
            yield

    return Starlette(routes=[Route("/graphql", failed_jobs, methods=["POST"])], lifespan=lifespan)
