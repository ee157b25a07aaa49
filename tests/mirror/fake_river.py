"""A queue with River's table, which keeps the rows of jobs that have ended."""

from typing import Any

DDL = """
CREATE TABLE river_migration (line text NOT NULL, version bigint NOT NULL);
INSERT INTO river_migration VALUES ('main', 6);
CREATE TABLE river_job (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, state text NOT NULL DEFAULT 'available',
    attempt smallint NOT NULL DEFAULT 0, max_attempts smallint NOT NULL DEFAULT 25,
    attempted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
    finalized_at timestamptz, scheduled_at timestamptz NOT NULL DEFAULT now(),
    priority smallint NOT NULL DEFAULT 1, args jsonb NOT NULL DEFAULT '{}', attempted_by text[],
    errors jsonb[], kind text NOT NULL DEFAULT 'email_send', metadata jsonb NOT NULL DEFAULT '{}',
    queue text NOT NULL DEFAULT 'default', tags varchar(255)[] NOT NULL DEFAULT '{}',
    unique_key bytea
);
"""


class FakeRiver:
    """Adds jobs and works on them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def add(self, **values: Any) -> int:
        names = ", ".join(values)
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        rest = f"({names}) VALUES ({marks})" if values else "DEFAULT VALUES"
        sql = f"INSERT INTO river_job {rest} RETURNING id"
        job_id: int = await self._connection.fetchval(sql, *values.values())
        return job_id

    async def start(self, job_id: int) -> None:
        await self._set(
            job_id,
            "state = 'running', attempt = attempt + 1, attempted_at = now(), "
            "attempted_by = array_append(attempted_by, 'web-1')",
        )

    async def fail(self, job_id: int, *, then: str = "retryable") -> None:
        error = "jsonb_build_object('at', now(), 'attempt', attempt, 'error', 'boom', 'trace', '')"
        ended = "now()" if then == "discarded" else "NULL"
        await self._set(
            job_id,
            f"state = '{then}', errors = array_append(errors, {error}), finalized_at = {ended}, "
            "scheduled_at = now() + interval '1 second'",
        )

    async def end(self, job_id: int, state: str = "completed") -> None:
        await self._set(job_id, f"state = '{state}', finalized_at = now()")

    async def snooze(self, job_id: int) -> None:
        await self._set(
            job_id,
            "state = 'scheduled', attempt = attempt - 1, "
            "scheduled_at = now() + interval '1 hour', metadata = '{\"snoozes\": 1}'",
        )

    async def retry(self, job_id: int) -> None:
        """Retry it by hand."""
        await self._set(
            job_id,
            "state = 'available', scheduled_at = now(), finalized_at = NULL, "
            "max_attempts = greatest(max_attempts, attempt + 1)",
        )

    async def _set(self, job_id: int, values: str) -> None:
        await self._connection.execute(f"UPDATE river_job SET {values} WHERE id = $1", job_id)
