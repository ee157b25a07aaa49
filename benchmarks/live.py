"""Live updates: many subscribers of one process, and whether each gets every event, once and soon.

`python -m benchmarks.live [--write FILE]`. Subscribers watch three organisations, over Server-Sent
Events and over WebSocket; events are written by the ledger's own commands, each in its own
transaction. A run with few subscribers beside those with many shows what does not grow with them.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg

from benchmarks import report
from benchmarks.servers import JOBLENS, Server, serving
from benchmarks.subscribers import EventSource, Run, Socket, Subscriber
from db import embedded, migrations
from db.commands.creation import NewJob, create_jobs
from db.commands.events import record_event
from db.engine import EngineOptions, Scope, create_engine
from db.notifier import INTERVAL_SECONDS
from db.outcomes import RecordedEvent
from db.request_session import RequestSession

ORGS = tuple(UUID(int=number) for number in (1, 2, 3))
WRITERS = 6
SETTLE_SECONDS = 5
# Beside many subscribers: what does not grow with them is the same for these.
FEW = 30
PROTOCOLS = {EventSource: "SSE", Socket: "WebSocket"}

REPORT = """\
# Benchmarks of live updates

One `joblens serve` process, subscribers spread evenly over three organisations, each watching the \
events of its own. Every event is written in a transaction of its own by another process, which is \
also the one that subscribes; PostgreSQL shares the machine too. Measured by:

    {command}

{facts}

{table}

*From commit to client* is the time from the writer's learning of its commit to the event's being \
read from the subscriber's socket. The process's transactions are its reads of what is new: one \
for each organisation after news, at most every 20 ms.
"""


@asynccontextmanager
async def new_database() -> AsyncIterator[str]:
    """Run an embedded PostgreSQL of its own, with an empty ledger."""
    with TemporaryDirectory(prefix="joblens-") as folder:
        server = await asyncio.to_thread(embedded.start, Path(folder))
        try:
            await migrations.upgrade(server.url)
            yield server.url
        finally:
            await asyncio.to_thread(server.stop)


@dataclass(frozen=True, slots=True)
class Round:
    """One server, so many subscribers over one protocol."""

    kind: type[Subscriber]
    subscribers: int


async def measure(url: str, round_: Round, rate: int, seconds: int) -> dict[str, str]:
    """Run one round; say what came of it."""
    async with serving(JOBLENS, url) as server:
        # What the first of all cost is no other's: the code and the feeds are there from then on.
        first = await _subscribe(server, Run(), replace(round_, subscribers=len(ORGS)))
        before = _resident(server.pid)
        run = Run()
        connected = await _subscribe(server, run, round_)
        idle = _resident(server.pid)
        transactions = await _transactions(url)
        await _write(url, run, rate, seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        # The writers' own are one for each event, and one for the jobs of each organisation.
        written = len(run.committed) + len(ORGS)
        transactions = await _transactions(url) - transactions - written
        took = seconds + SETTLE_SECONDS
        connections = await _connections(url)
        for subscriber in (*first, *connected):
            subscriber.close()
        memory = (idle - before) / len(connected) / 1024
        return _deliveries(run, connected, seconds) | {
            "memory of a waiting subscriber": f"{memory:.0f} KiB",
            "peak memory of the process": f"{server.peak_memory() / 1024**2:.0f} MiB",
            "database connections of the process": f"{connections}",
            "transactions of the process": f"{transactions / took:.0f} a second",
        }


async def _subscribe(server: Server, run: Run, round_: Round) -> list[Subscriber]:
    loop = asyncio.get_running_loop()
    made = []
    for number in range(round_.subscribers):
        subscriber = round_.kind(ORGS[number % len(ORGS)], run, server.port)
        await loop.create_connection(lambda one=subscriber: one, "127.0.0.1", server.port)
        made.append(subscriber)
    for _ in range(600):
        if run.ready == len(made):
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    return made


async def _write(url: str, run: Run, rate: int, seconds: int) -> None:
    options = EngineOptions(
        pool_size=WRITERS, application_name="writers", notify_seconds=INTERVAL_SECONDS
    )
    engine = create_engine(url, options)
    jobs = {}
    for org in ORGS:
        async with RequestSession(engine, Scope(org, 10, read_only=False)) as writing:
            async with writing.use() as session:
                new = [NewJob("live") for _ in range(20)]
                made = await create_jobs(session, org, new, now=datetime.now(UTC))
            await writing.commit()
        jobs[org] = [each.job.id for each in made]
    start = time.monotonic()
    total = rate * seconds

    async def writer(first: int) -> None:
        for number in range(first, total, WRITERS):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            org = ORGS[number % len(ORGS)]
            job_id = jobs[org][number // len(ORGS) % len(jobs[org])]
            async with RequestSession(engine, Scope(org, 10, read_only=False)) as writing:
                async with writing.use() as session:
                    detail = {"live": True, "n": number}
                    now = datetime.now(UTC)
                    event = await record_event(session, org, job_id, detail, now=now)
                await writing.commit()
            assert isinstance(event, RecordedEvent)
            run.committed[f"{job_id}:{event.seq}".encode()] = (org, time.monotonic())

    await asyncio.gather(*(writer(first) for first in range(WRITERS)))
    await engine.dispose()


def _deliveries(run: Run, subscribers: list[Subscriber], seconds: int) -> dict[str, str]:
    expected = Counter(org for org, _ in run.committed.values())
    due = sum(expected[one.org] for one in subscribers)
    foreign = sum(
        times
        for one in subscribers
        for event, times in one.seen.items()
        if run.committed.get(event, (one.org,))[0] != one.org
    )
    doubled = sum(times - 1 for one in subscribers for times in one.seen.values())
    missed = due - sum(len(one.seen) for one in subscribers) + foreign
    delays = [
        (arrived - run.committed[event][1]) * 1000
        for event, arrived in run.arrivals
        if event in run.committed
    ]
    cuts = quantiles(delays, n=100) if delays else [0.0] * 99
    return {
        "events written": f"{len(run.committed):,} in {seconds} s",
        "deliveries due": f"{due:,}",
        "missed": f"{missed:,}",
        "twice": f"{doubled:,}",
        "to another organisation": f"{foreign:,}",
        "from commit to client, p50": f"{cuts[49]:.0f} ms",
        "from commit to client, p99": f"{cuts[98]:.0f} ms",
    }


async def _transactions(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database "
                "WHERE datname = current_database()"
            )
        )
    finally:
        await connection.close()


async def _connections(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name LIKE 'joblens%'"
            )
        )
    finally:
        await connection.close()


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _run(options: argparse.Namespace) -> None:
    many = options.subscribers
    rounds = [Round(EventSource, FEW), Round(EventSource, many), Round(Socket, many)]
    columns = []
    for round_ in rounds:
        async with new_database() as url:
            facts = await report.facts(url)
            columns.append(await measure(url, round_, options.rate, options.seconds))
    command = report.command("benchmarks.live")
    text = REPORT.format(command=command, facts=facts, table=_table(rounds, columns))
    print(text)
    if options.write:
        options.write.write_text(text)


def _table(rounds: list[Round], columns: list[dict[str, str]]) -> str:
    heads = [f"{each.subscribers:,} over {PROTOCOLS[each.kind]}" for each in rounds]
    lines = [["subscribers", *heads], ["---", *("--:" for _ in rounds)]]
    lines += [[name, *(column[name] for column in columns)] for name in columns[0]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.live", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
