"""A queue with graphile-worker's tables, whose work is done by SQL: rows vanish at success."""

from typing import Any

DDL = """
CREATE SCHEMA graphile_worker;
CREATE TABLE graphile_worker.migrations (id integer PRIMARY KEY);
INSERT INTO graphile_worker.migrations VALUES (20);
CREATE TABLE graphile_worker._private_job_queues (id integer PRIMARY KEY, queue_name text);
CREATE TABLE graphile_worker._private_tasks (id integer PRIMARY KEY, identifier text);
CREATE TABLE graphile_worker._private_jobs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job_queue_id integer, task_id integer NOT NULL, payload json NOT NULL DEFAULT '{}',
    priority smallint NOT NULL DEFAULT 0, run_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0, max_attempts smallint NOT NULL DEFAULT 25,
    last_error text, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), key text, locked_at timestamptz,
    locked_by text, revision integer NOT NULL DEFAULT 0, flags jsonb
);
INSERT INTO graphile_worker._private_tasks VALUES (1, 'email.send'), (2, 'invoice.sync');
INSERT INTO graphile_worker._private_job_queues VALUES (1, 'mail');
"""
JOBS = "graphile_worker._private_jobs"


class FakeGraphile:
    """Adds jobs and works on them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def add(self, task: int = 1, most: int = 25) -> int:
        sql = f"INSERT INTO {JOBS} (task_id, max_attempts, job_queue_id) VALUES ($1, $2, 1)"
        job_id: int = await self._connection.fetchval(f"{sql} RETURNING id", task, most)
        return job_id

    async def start(self, job_id: int) -> None:
        await self._connection.execute(
            f"UPDATE {JOBS} SET attempts = attempts + 1, locked_at = now(), locked_by = 'w1' "
            "WHERE id = $1",
            job_id,
        )

    async def fail(self, job_id: int, error: str) -> None:
        await self._connection.execute(
            f"UPDATE {JOBS} SET last_error = $2, locked_by = null, locked_at = null, run_at = "
            "greatest(now(), run_at) + (exp(least(attempts, 10)) * interval '1 second') "
            "WHERE id = $1",
            job_id,
            error,
        )

    async def succeed(self, job_id: int) -> None:
        await self._connection.execute(f"DELETE FROM {JOBS} WHERE id = $1", job_id)

    async def play(self) -> dict[str, list[str]]:
        """Let jobs of every outcome happen; return their histories."""
        waits, works, retried, dead, removed, runs = [await self.add() for _ in range(6)]
        del waits
        await self._connection.execute(f"UPDATE {JOBS} SET max_attempts = 1 WHERE id = $1", dead)
        for job_id in (works, retried, dead, runs):
            await self.start(job_id)
        await self.succeed(works)
        await self.fail(retried, "ERP answered 503")
        await self.fail(dead, "no data")
        await self.succeed(removed)
        await self.start(retried)
        await self.succeed(retried)
        begun = ["queued 0", "running 1"]
        failed = [*begun, "failed 1"]
        return {
            "1": ["queued 0"],
            "2": [*begun, "succeeded 1"],
            "3": [*failed, "queued 1", "running 2", "succeeded 2"],
            "4": [*failed, "dead_letter 1"],
            "5": ["queued 0", "canceled 0"],
            "6": begun,
        }
