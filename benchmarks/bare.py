"""Contestant (a): the least that can answer a page. One statement, PostgreSQL's JSON."""

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

NESTED = f"""
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


def _seconds(began: str, ended: str) -> str:
    """Write the seconds in between: null if one is missing, and never negative."""
    return (
        f"CASE WHEN {ended} >= {began} THEN extract(epoch FROM {ended} - {began})"
        f" WHEN {ended} < {began} THEN 0 END"
    )


_WAIT = _seconds(
    "greatest(queued_at, scheduled_at)", "CASE status WHEN 'queued' THEN now() ELSE started_at END"
)
_RUN = _seconds("started_at", "coalesce(finished_at, CASE status WHEN 'running' THEN now() END)")

FLAT = f"""
SELECT json_build_object('data', json_build_object('jobs', json_build_object(
    'nodes', coalesce(json_agg(job.node), '[]'))))::text
FROM (
    SELECT json_build_object(
        'id', id, 'type', type, 'queue', queue, 'status', upper(status),
        'isTerminal', status IN ('succeeded', 'canceled', 'dead_letter', 'failed'),
        'priority', priority, 'attempt', attempt, 'maxAttempts', max_attempts,
        'backoffPolicy', upper(backoff_policy), 'idempotencyKey', idempotency_key,
        'requestedBy', requested_by, 'result', result, 'lastErrorCode', last_error_code,
        'lastErrorMessage', last_error_message, 'createdAt', {_TIME.format("created_at")},
        'updatedAt', {_TIME.format("updated_at")}, 'scheduledAt', {_TIME.format("scheduled_at")},
        'startedAt', {_TIME.format("started_at")}, 'finishedAt', {_TIME.format("finished_at")},
        'waitSeconds', {_WAIT}, 'runSeconds', {_RUN}
    ) AS node
    FROM job WHERE org_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2
) AS job
"""


async def _leave(_connection: asyncpg.Connection) -> None:
    """Give a connection back as it is: asyncpg's own way takes a round trip."""


def nested() -> Starlette:
    """Answer the nested page, whatever is asked."""
    return _application(NESTED, ORG, 50, 8)


def flat() -> Starlette:
    """Answer the flat page, whatever is asked."""
    return _application(FLAT, ORG, 200)


def _application(sql: str, *values: object) -> Starlette:
    async def answer(request: Request) -> Response:
        async with request.app.state.pool.acquire() as connection:
            body = await connection.fetchval(sql, *values)
        return Response(body, media_type="application/json")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url = os.environ["BENCHMARK_DATABASE_URL"]
        async with asyncpg.create_pool(url, min_size=1, max_size=10, reset=_leave) as pool:
            app.state.pool = pool
            yield

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)
