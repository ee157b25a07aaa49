"""A mirror that is killed at random times, beside a real queue: ledger and queue agree in the end.

It takes KILL_SECONDS, which are few unless the environment says otherwise.
"""

import asyncio
import json
import os
import random
import sys

import asyncpg
import pytest

from mirror.options import Way
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase, logical_cluster_url, logical_database
from tests.mirror.mirroring import engine_of, histories
from tests.mirror.test_kills import checkpoint_of
from tests.mirror.test_runner import add, until
from tests.queues.test_workers import as_seen, by_job, differences, worker_of
from tests.support.checkout import ROOT

__all__ = ["logical_cluster_url", "logical_database"]

KILL_SECONDS = float(os.environ.get("KILL_SECONDS", "8"))
# From its start, of which a second is spent on imports.
LIFE_SECONDS = (0.8, 4.0)
# Procrastinate's own record of what happened, as the ledger tells it.
EVENTS = """
SELECT job_id::text, array_agg(type::text ORDER BY id)
FROM procrastinate_events GROUP BY job_id
"""
ENDS = {"succeeded", "failed", "cancelled", "aborted", "deferred_for_retry"}
ENDS_TOLD = {"succeeded", "failed", "canceled"}


@pytest.mark.parametrize("way", ["poll", "slot"])
async def test_no_event_is_lost_or_doubled(
    way: Way, fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    async with worker_of("procrastinate", queue_url, str(KILL_SECONDS)) as worker:
        async with engine_of(ledger_url) as engine:
            await add(engine, queue_url, "procrastinate", way)
            mirror = await start_mirror(ledger_url)
            await until(lambda: checkpoint_of(engine, "shop"), bool)
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        working = asyncio.create_task(worker.communicate())
        kills = 0
        while not working.done():
            await asyncio.wait([working], timeout=random.uniform(*LIFE_SECONDS))
            mirror.kill()
            await mirror.wait()
            kills += 1
            mirror = await start_mirror(ledger_url)
        seen = by_job(json.loads((await working)[0].splitlines()[-1]))
    try:
        await until(lambda: histories(ledger_url, "shop"), lambda told: as_seen(told) == seen)
    except TimeoutError:
        pytest.fail(differences(as_seen(await histories(ledger_url, "shop")), seen))
    finally:
        mirror.kill()
        await mirror.wait()
    told = await histories(ledger_url, "shop")
    for job, happened in (await events_of(queue_url)).items():
        # A request to abort is recorded as a note of the run, which goes on.
        runs = sum(each in {"started", "abort_requested"} for each in happened)
        assert sum(each.startswith("running") for each in told[job]) == runs, job
        assert sum(each.split()[0] in ENDS_TOLD for each in told[job]) == ends(happened), job
    print(f"{way}: killed {kills} times, {len(told)} jobs, {sum(map(len, told.values()))} events")
    assert kills > 1


def ends(happened: list[str]) -> int:
    return sum(each in ENDS for each in happened)


async def start_mirror(ledger_url: str) -> asyncio.subprocess.Process:
    """Start `joblens mirror run`."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "joblens", "mirror", "run"),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "JOBLENS_DATABASE_URL": ledger_url},
    )


async def events_of(queue_url: str) -> dict[str, list[str]]:
    connection = await asyncpg.connect(queue_url)
    rows = await connection.fetch(EVENTS)
    await connection.close()
    return dict(map(tuple, rows))
