"""Live updates: many subscribers of one process, and whether each gets every event, once and soon.

`python -m benchmarks.live [--write FILE]`. Subscribers are Server-Sent Events connections over
three organisations; events are written by the ledger's own commands, each in its own transaction.
"""

import argparse
import asyncio
import os
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg

from benchmarks import report
from benchmarks.servers import JOBLENS, Server, peak_memory, serving
from db import embedded, migrations
from db.commands.creation import NewJob, create_jobs
from db.commands.events import record_event
from db.engine import EngineOptions, Scope, create_engine
from db.sessions import RequestSession

ORGS = tuple(UUID(int=number) for number in (1, 2, 3))
WRITERS = 6
SETTLE_SECONDS = 5
BODY = (
    b'{"query": "subscription { jobEvents(filter: {detailContains: {live: true}}) '
    b'{ cursor node { id ts nextStatus } } }"}'
)
EVENT_ID = re.compile(rb'"id":"([0-9a-f-]{36}:\d+)"')


@dataclass(slots=True)
class Run:
    """What was written and what arrived. Times by time.monotonic()."""

    committed: dict[bytes, tuple[UUID, float]] = field(default_factory=dict)
    arrivals: list[tuple[bytes, float]] = field(default_factory=list)
    doubled: int = 0
    foreign: int = 0
    ready: int = 0


class Subscriber(asyncio.Protocol):
    """One connection: asks, and then notes which events arrive and when."""

    def __init__(self, org: UUID, run: Run, port: int) -> None:
        self.org, self._run, self._port = org, run, port
        self.seen: Counter[bytes] = Counter()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask, once connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\njoblens-org: {self.org}\r\n"
            "content-type: application/json\r\naccept: text/event-stream\r\n"
            f"content-length: {len(BODY)}\r\n\r\n"
        )
        transport.write(head.encode() + BODY)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Note the events in what has come, whole ones only."""
        now = time.monotonic()
        if not self.seen and not self._rest:
            self._run.ready += 1
        self._rest += data
        whole, end, rest = self._rest.rpartition(b"\n\n")
        if not end:
            return
        self._rest = rest or b" "
        for event_id in EVENT_ID.findall(whole):
            self.seen[event_id] += 1
            self._run.arrivals.append((event_id, now))


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


async def measure(url: str, subscribers: int, rate: int, seconds: int) -> str:
    """Run it all and write what came of it as Markdown."""
    async with serving(JOBLENS, url) as server:
        before = _resident(server.pid)
        run = Run()
        connected = await _subscribe(server, run, subscribers)
        idle = _resident(server.pid)
        statements = await _statements(url)
        await _write(url, run, rate, seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        statements = await _statements(url) - statements
        connections = await _connections(url)
        peak = peak_memory(server.pid)
        for subscriber in connected:
            subscriber.close()
    memory = idle - before
    return _report(run, connected, seconds, memory, peak, statements, connections)


async def _subscribe(server: Server, run: Run, count: int) -> list[Subscriber]:
    loop = asyncio.get_running_loop()
    made = []
    for number in range(count):
        subscriber = Subscriber(ORGS[number % len(ORGS)], run, server.port)
        await loop.create_connection(lambda one=subscriber: one, "127.0.0.1", server.port)
        made.append(subscriber)
    for _ in range(600):
        if run.ready >= count:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    return made


async def _write(url: str, run: Run, rate: int, seconds: int) -> None:
    engine = create_engine(url, EngineOptions(pool_size=WRITERS, application_name="writers"))
    jobs = {}
    for org in ORGS:
        async with RequestSession(engine, Scope(org, 10, read_only=False)) as writing:
            async with writing.use() as session:
                new = [NewJob("live") for _ in range(20)]
                made = await create_jobs(session, org, new, now=datetime.now(UTC))
            await writing.commit()
        jobs[org] = [each.row.id for each in made]
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
                    seq = await record_event(session, org, job_id, detail, now=now)
                await writing.commit()
            run.committed[f"{job_id}:{seq}".encode()] = (org, time.monotonic())

    await asyncio.gather(*(writer(first) for first in range(WRITERS)))
    await engine.dispose()


def _report(
    run: Run,
    subscribers: list[Subscriber],
    seconds: int,
    memory: int,
    peak: int,
    statements: int,
    connections: int,
) -> str:
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
    rows = {
        "subscribers, over three organisations": f"{len(subscribers):,}",
        "events written": f"{len(run.committed):,} in {seconds} s",
        "deliveries due": f"{due:,}",
        "missed": f"{missed:,}",
        "twice": f"{doubled:,}",
        "to another organisation": f"{foreign:,}",
        "from commit to client, p50": f"{cuts[49]:.0f} ms",
        "from commit to client, p99": f"{cuts[98]:.0f} ms",
        "memory of a waiting subscriber": f"{memory / len(subscribers) / 1024:.0f} KiB",
        "peak memory of the process": f"{peak / 1024**2:.0f} MiB",
        "database connections of the process": f"{connections}",
        "transactions a second, all": f"{statements / (seconds + SETTLE_SECONDS):.0f}",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"## Live updates\n\n| | |\n|---|--:|\n{table}\n"


async def _statements(url: str) -> int:
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
    async with new_database() as url:
        command = shlex.join([".venv/bin/python", "-m", "benchmarks.live", *sys.argv[1:]])
        facts = await report.facts(url)
        body = await measure(url, options.subscribers, options.rate, options.seconds)
    text = f"# Benchmarks of live updates\n\nMeasured by `{command}`.\n\n{facts}\n\n{body}"
    print(text)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.live", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
