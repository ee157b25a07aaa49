"""A mirror by a slot: how far it lags behind a queue that runs so many jobs a second.

`python -m benchmarks.mirror [--write FILE]`. The queue has graphile-worker's tables, whose rows
vanish at success: each job is three transactions, which add, start and delete it.
"""

import argparse
import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from benchmarks import report
from benchmarks.ledger import ORG
from db import embedded, migrations
from db.facts import Source
from db.session_scope import create_worker_engine
from mirror.checking import find_queue
from mirror.following import prepared
from mirror.ledger import Ledger
from mirror.poll import Poller
from mirror.reading import connect
from mirror.slot import SlotReader
from tests.mirror.fake_graphile import DDL, JOBS

KIND, SLOT = "graphile_worker", "joblens_bench"
INTERVAL_SECONDS = 0.25
SETTINGS = ("wal_level = logical", "max_replication_slots = 4")

PAGE = """\
# Benchmarks of the mirror

A queue of {rate:,} jobs a second for {seconds} seconds, followed by a slot, by one command:

    {command}

The queue has graphile-worker's tables; each job is three transactions (added, started, deleted), \
committed without waiting for the disk, by a process of its own. Queue and ledger are databases of \
one PostgreSQL, which shares the machine with both processes. The lag is the age of the newest \
transaction of a reading once the ledger has it; readings begin every {interval} seconds.

{facts}

| | |
|---|--:|
| jobs a second that the queue ran | {ran:,.0f} |
| lag, median | {lag:.2f} s |
| lag, at most | {most:.2f} s |
| behind, once the queue was at rest | {behind:.1f} s |
| jobs in the ledger, with all of their history | {whole:,} of {jobs:,} |
"""


def work(url: str, rate: int, seconds: float) -> tuple[int, float]:
    """Run jobs; return how many, and in how many seconds."""
    return asyncio.run(_work(url, rate, seconds))


async def _work(url: str, rate: int, seconds: float) -> tuple[int, float]:
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    began, jobs = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        while jobs < passed * rate:
            await _run_job(connection)
            jobs += 1
        await asyncio.sleep(0.005)
    await connection.close()
    return jobs, time.monotonic() - began


async def _run_job(connection: Any) -> None:
    payload = '{"to": "ada@example.com"}'
    added = f"INSERT INTO {JOBS} (task_id, payload) VALUES (1, $1) RETURNING id"
    job_id = await connection.fetchval(added, payload)
    started = f"UPDATE {JOBS} SET attempts = 1, locked_at = now(), locked_by = 'w' WHERE id = $1"
    await connection.execute(started, job_id)
    await connection.execute(f"DELETE FROM {JOBS} WHERE id = $1", job_id)


async def measure(ledger_url: str, queue_url: str, rate: int, seconds: float) -> dict[str, Any]:
    """Run the queue and follow it until the ledger has all of it."""
    engine, connection = create_worker_engine(ledger_url), await connect(queue_url)
    own = await asyncpg.connect(ledger_url)
    found = await find_queue(connection, KIND, None)
    checkpoint: dict[str, Any] = {}
    ledger = Ledger(engine, ORG, Source("bench", KIND))
    reader = SlotReader(found, ledger, SLOT, checkpoint)
    follower = await prepared(connection, Poller(found, ledger, checkpoint, {}), reader)
    await follower.follow(connection)
    lags: list[float] = []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(processes, work, queue_url, rate, seconds)
        while not working.done():
            lags.append(await _follow(follower, connection, own))
        at_rest = time.monotonic()
        jobs, took = await working
    while await own.fetchval("SELECT count(*) FROM job WHERE status = 'succeeded'") < jobs:
        lags.append(await _follow(follower, connection, own))
    behind = time.monotonic() - at_rest
    histories = Counter(row[0] for row in await own.fetch(_EVENTS))
    for each in (own, connection):
        await each.close()
    await engine.dispose()
    return {
        "ran": jobs / took,
        "lag": median(lags),
        "most": max(lags),
        "behind": behind,
        "whole": histories["queued running succeeded"],
        "jobs": jobs,
    }


_EVENTS = """
SELECT string_agg(next_status, ' ' ORDER BY seq) FROM job_event GROUP BY job_id
"""


async def _follow(follower: Any, connection: Any, own: Any) -> float:
    began = time.monotonic()
    await follower.follow(connection)
    lag = await own.fetchval("SELECT lag_seconds FROM source")
    await asyncio.sleep(max(0.0, began + INTERVAL_SECONDS - time.monotonic()))
    return float(lag or 0)


@asynccontextmanager
async def databases() -> AsyncIterator[tuple[str, str]]:
    """Make a ledger, and a queue whose log can be decoded; yield their URLs."""
    with TemporaryDirectory(prefix="joblens-") as name:
        folder = Path(name)
        server = await asyncio.to_thread(embedded.start, folder)
        connection = await asyncpg.connect(server.url)
        for setting in SETTINGS:
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("CREATE DATABASE queue")
        await connection.close()
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(embedded.start, folder)
        try:
            await migrations.upgrade(server.url)
            queue_url = urlsplit(server.url)._replace(path="/queue").geturl()
            queue = await asyncpg.connect(queue_url)
            await queue.execute(DDL)
            await queue.close()
            yield server.url, queue_url
        finally:
            await asyncio.to_thread(server.stop)


async def _run(options: argparse.Namespace) -> None:
    async with databases() as (ledger_url, queue_url):
        found = await measure(ledger_url, queue_url, options.rate, options.seconds)
        facts = await report.facts(ledger_url)
    command = report.command("benchmarks.mirror")
    page = PAGE.format(
        command=command,
        rate=options.rate,
        seconds=options.seconds,
        interval=INTERVAL_SECONDS,
        facts=facts,
        **found,
    )
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.mirror", description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000, help="jobs a second")
    parser.add_argument("--seconds", type=int, default=30, help="how long the queue runs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
