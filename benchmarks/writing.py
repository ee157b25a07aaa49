"""Transitions per second: through the API, through the repository, and by the statements alone.

`python -m benchmarks.writing [--write FILE]`. Each connection starts jobs of its own and gives them
back, one after another: every change is an UPDATE, an INSERT and a notification, committed.
"""

import argparse
import asyncio
import shlex
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg

from benchmarks import report
from benchmarks.ledger import ORG, connected
from benchmarks.load import Client, Sample, graphql
from benchmarks.servers import JOBLENS, serving
from benchmarks.statements import Statements, record
from db import embedded, migrations
from db.engine import EngineOptions
from db.repository import JobRepository, NewJob, create_worker_engine, session_scope
from db.statuses import JobStatus

Step = tuple[UUID, JobStatus, JobStatus]
Move = Callable[[Step], Awaitable[None]]
Connect = Callable[[], AbstractAsyncContextManager[Move]]

BARE, REPOSITORY, API = "asyncpg: the same statements", "`JobRepository`", "`transitionJob`"
CONNECTIONS = (1, 8)
JOBS_PER_CONNECTION = 200
WARM_UP_SECONDS = 1.0
QUERY = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { id status } } }
}"""

PAGE = """\
# Benchmarks of writing

Changes of status, each a transaction of its own, by one command:

    {command}

Each connection starts jobs of its own and gives them back, so that nobody waits for a lock. \
*asyncpg* sends the statements that Joblens sends, word for word, with its BEGIN and COMMIT, and \
does nothing else. `JobRepository` is used as a worker in Python would, a `session_scope` for each \
change. Both run in the process that measures. `transitionJob` goes over kept HTTP connections to \
a server of one process. PostgreSQL shares the machine with all of them. Contestants take turns, \
and each figure is the median of its rounds: compare the ratios.

{facts}

| | changes/s, 1 connection | of asyncpg | p50 ms | p99 ms | changes/s, 8 connections | of asyncpg |
|---|--:|--:|--:|--:|--:|--:|
{rows}
"""


@dataclass(slots=True)
class Contestant:
    """A way to change statuses: its samples by the number of connections, and its own jobs."""

    connect: Connect
    steps: list[Iterator[Step]]
    samples: dict[int, list[Sample]] = field(default_factory=lambda: {n: [] for n in CONNECTIONS})

    async def load(self, connections: int, seconds: float) -> Sample:
        """Keep so many connections busy until the time is over."""
        sample = Sample()
        started = time.perf_counter()

        async def work(steps: Iterator[Step]) -> None:
            async with self.connect() as move:
                before = time.perf_counter()
                while before - started < seconds:
                    await move(next(steps))
                    after = time.perf_counter()
                    sample.latencies.append(after - before)
                    before = after

        await asyncio.gather(*map(work, self.steps[:connections]))
        sample.seconds = time.perf_counter() - started
        return sample


def steps_of(ids: list[UUID]) -> Iterator[Step]:
    """Start each job and give it back, around and around."""
    for job_id in cycle(ids):
        yield job_id, JobStatus.QUEUED, JobStatus.RUNNING
        yield job_id, JobStatus.RUNNING, JobStatus.QUEUED


def bare(url: str, statements: Mapping[JobStatus, Statements]) -> Connect:
    """Send the recorded statements, and do nothing else."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Move]:
        connection = await asyncpg.connect(url)

        async def move(step: Step) -> None:
            job_id, _, to = step
            await statements[to].send(connection, job_id)

        try:
            yield move
        finally:
            await connection.close()

    return connect


def through_repository(url: str) -> Connect:
    """Change a job's status as a worker in Python does."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Move]:
        engine = create_worker_engine(url, EngineOptions(pool_size=1, pool_overflow=0))

        async def move(step: Step) -> None:
            job_id, before, to = step
            async with session_scope(ORG, engine=engine) as session:
                await JobRepository(session).update_job_status(job_id, to, expected=before)

        try:
            yield move
        finally:
            await engine.dispose()

    return connect


def through_api(port: int) -> Connect:
    """Change a job's status as a worker of any language does."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Move]:
        client = await Client.connect(port)

        async def move(step: Step) -> None:
            job_id, before, to = step
            wanted = {"id": str(job_id), "from": before.name, "to": to.name}
            answer = await client.send(graphql(QUERY, input=wanted))
            if f'"status":"{to.name}"'.encode() not in answer:
                raise RuntimeError(answer.decode())

        try:
            yield move
        finally:
            await client.close()

    return connect


async def measure(url: str, *, rounds: int, seconds: float) -> Mapping[str, Contestant]:
    """Let the contestants take turns."""
    async with serving(JOBLENS, url) as server:
        statements = await record(url)
        ways = {
            BARE: bare(url, statements),
            REPOSITORY: through_repository(url),
            API: through_api(server.port),
        }
        contestants = {name: Contestant(way, await _jobs(url)) for name, way in ways.items()}
        done = 0
        for round_ in range(rounds + 1):
            for one in contestants.values():
                for connections in CONNECTIONS:
                    lasting = seconds if round_ else WARM_UP_SECONDS
                    sample = await one.load(connections, lasting)
                    done += len(sample.latencies)
                    if round_:
                        one.samples[connections].append(sample)
    await _check(url, done)
    return contestants


async def _jobs(url: str) -> list[Iterator[Step]]:
    """Make jobs for each connection."""
    engine = create_worker_engine(url)
    steps = []
    for _ in range(max(CONNECTIONS)):
        async with session_scope(ORG, engine=engine) as session:
            new = [NewJob(type="benchmark")] * JOBS_PER_CONNECTION
            made = await JobRepository(session).create_many_jobs(new)
        steps.append(steps_of([each.job.id for each in made]))
    await engine.dispose()
    return steps


async def _check(url: str, done: int) -> None:
    """Make sure that all wrote what they should have: an event for each change."""
    async with connected(url) as connection:
        changes = await connection.fetchval(
            "SELECT count(*) FROM job_event JOIN job USING (org_id) "
            "WHERE job.id = job_event.job_id AND type = 'benchmark' AND prev_status IS NOT NULL"
        )
    if changes != done:
        raise RuntimeError(f"{done} changes were counted, but {changes} events written")


def table(contestants: Mapping[str, Contestant]) -> str:
    """Write the contestants' rows."""
    one, many = CONNECTIONS

    def figure(name: str, connections: int, value: str) -> float:
        samples = contestants[name].samples[connections]
        return float(median(getattr(each, value) for each in samples))

    def row(name: str) -> str:
        alone, busy = (figure(name, n, "per_second") for n in CONNECTIONS)
        return (
            f"| {name} | {alone:,.0f} | {alone / figure(BARE, one, 'per_second'):.2f} "
            f"| {figure(name, one, 'p50_ms'):.1f} | {figure(name, one, 'p99_ms'):.1f} "
            f"| {busy:,.0f} | {busy / figure(BARE, many, 'per_second'):.2f} |"
        )

    return "\n".join(map(row, contestants))


async def _run(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="joblens-") as folder:
        server = await asyncio.to_thread(embedded.start, Path(folder))
        try:
            await migrations.upgrade(server.url)
            found = await measure(server.url, rounds=options.rounds, seconds=options.seconds)
            command = [".venv/bin/python", "-m", "benchmarks.writing", *sys.argv[1:]]
            facts = await report.facts(server.url)
        finally:
            await asyncio.to_thread(server.stop)
    page = PAGE.format(command=shlex.join(command), facts=facts, rows=table(found))
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.writing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each load lasts")
    parser.add_argument("--rounds", type=int, default=5, help="how often contestants take turns")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    try:
        import uvloop as loop  # noqa: PLC0415 - not on Windows
    except ImportError:
        loop = asyncio
    loop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
