"""Transitions per second: through the API, through the repository, and by the statements alone.

`python -m benchmarks.writing [--write FILE]`. Each connection starts jobs of its own and gives them
back, one after another: every change is one statement, which updates the job and appends the event,
and is committed.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import report
from benchmarks.ledger import ORG, connected
from benchmarks.load import Sample
from benchmarks.servers import JOBLENS, serving
from benchmarks.statements import record
from benchmarks.writers import Connect, Move, Step, bare, steps_of, through_api, through_repository
from db import embedded, migrations
from db.notifier import INTERVAL_SECONDS
from joblens import JobRepository, NewJob, create_worker_engine, session_scope

BARE, REPOSITORY, API = "asyncpg: the same statements", "`JobRepository`", "`transitionJob`"
NOTIFYING = ", notifying in its transactions"
ONE, MANY, MOST = 1, 8, 32
JOBS_PER_CONNECTION = 200
WARM_UP_SECONDS = 1.0

PAGE = """\
# Benchmarks of writing

Changes of status, each a transaction of its own, by one command:

    {command}

Each connection starts jobs of its own and gives them back, so that none waits for a lock. \
*asyncpg* sends the statements that Joblens sends, word for word, its BEGIN and COMMIT by \
themselves, and does nothing else. Notifications follow commits, gathered, and *asyncpg* sends \
none. What notifies in its transactions, as imports and older versions do, sends one in each, and \
PostgreSQL commits such transactions one after another. `JobRepository` is used as a worker in \
Python would, a `session_scope` for each change, with one engine. Both run in the process that \
measures. `transitionJob` goes over kept HTTP connections to a server of one process. PostgreSQL \
shares the machine with all of them. Contestants take turns, and each figure is the median of its \
rounds: compare the ratios.

{facts}

| | changes/s, {one} connection | of asyncpg | p50 ms | p99 ms | {many} connections \
| of asyncpg | {most} connections | of asyncpg |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
{rows}
"""


@dataclass(slots=True)
class Contestant:
    """A way to change statuses: its samples by the number of connections, and its own jobs."""

    connect: Connect
    steps: list[Iterator[Step]]
    samples: dict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    async def load(self, connections: int, seconds: float) -> Sample:
        """Keep so many connections busy until the time is over, once all of them are open."""
        sample = Sample()
        async with self.connect(connections) as moves:
            # With its first transaction an engine connects.
            await asyncio.gather(
                *(move(next(steps)) for move, steps in zip(moves, self.steps, strict=False))
            )
            started = time.perf_counter()

            async def work(move: Move, steps: Iterator[Step]) -> None:
                before = time.perf_counter()
                while before - started < seconds:
                    await move(next(steps))
                    after = time.perf_counter()
                    sample.latencies.append(after - before)
                    before = after

            await asyncio.gather(*map(work, moves, self.steps))
            sample.seconds = time.perf_counter() - started
        return sample


async def measure(url: str, *, rounds: int, seconds: float) -> Mapping[str, Contestant]:
    """Let the contestants take turns."""
    async with serving(JOBLENS, url) as server:
        ways = {
            BARE: bare(url, await record(url, notify_seconds=INTERVAL_SECONDS)),
            BARE + NOTIFYING: bare(url, await record(url, notify_seconds=None)),
            REPOSITORY: through_repository(url, notify_seconds=INTERVAL_SECONDS),
            REPOSITORY + NOTIFYING: through_repository(url, notify_seconds=None),
            API: through_api(server.port),
        }
        contestants = {name: Contestant(way, await _jobs(url, MOST)) for name, way in ways.items()}
        done = 0
        for round_ in range(rounds + 1):
            for one in contestants.values():
                for connections in (ONE, MANY, MOST):
                    lasting = seconds if round_ else WARM_UP_SECONDS
                    sample = await one.load(connections, lasting)
                    done += connections + len(sample.latencies)
                    if round_:
                        one.samples[connections].append(sample)
    await _check(url, done)
    return contestants


async def _jobs(url: str, connections: int) -> list[Iterator[Step]]:
    """Make jobs for each connection."""
    engine = create_worker_engine(url)
    steps = []
    for _ in range(connections):
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

    def figure(name: str, connections: int, value: str) -> float:
        samples = contestants[name].samples[connections]
        return float(median(getattr(each, value) for each in samples))

    def rate(name: str, connections: int) -> str:
        mine, least = (figure(each, connections, "per_second") for each in (name, BARE))
        return f"{mine:,.0f} | {mine / least:.2f}"

    def row(name: str) -> str:
        p50, p99 = (f"{figure(name, ONE, value):.1f}" for value in ("p50_ms", "p99_ms"))
        cells = (name, rate(name, ONE), p50, p99, rate(name, MANY), rate(name, MOST))
        return f"| {' | '.join(cells)} |"

    return "\n".join(map(row, contestants))


async def _run(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="joblens-") as folder:
        server = await asyncio.to_thread(embedded.start, Path(folder))
        try:
            await migrations.upgrade(server.url)
            found = await measure(server.url, rounds=options.rounds, seconds=options.seconds)
            facts = await report.facts(server.url)
        finally:
            await asyncio.to_thread(server.stop)
    page = PAGE.format(
        command=report.command("benchmarks.writing"),
        facts=facts,
        rows=table(found),
        one=ONE,
        many=MANY,
        most=MOST,
    )
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
