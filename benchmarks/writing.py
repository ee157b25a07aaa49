"""Transitions per second: through the API, through the repository, and by the statements alone.

`python -m benchmarks.writing [--write FILE]`. Each connection starts jobs of its own and gives them
back, one after another: every change is one statement, which updates the job, appends the event and
notifies, and is committed.
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
from benchmarks.writers import Connect, Step, bare, steps_of, through_api, through_repository
from db import embedded, migrations
from joblens import JobRepository, NewJob, create_worker_engine, session_scope

BARE, REPOSITORY, API = "asyncpg: the same statements", "`JobRepository`", "`transitionJob`"
MANY = 8
JOBS_PER_CONNECTION = 200
WARM_UP_SECONDS = 1.0

PAGE = """\
# Benchmarks of writing

Changes of status, each a transaction of its own, by one command:

    {command}

Each connection starts jobs of its own and gives them back, so that none waits for a lock. \
*asyncpg* sends the statements that Joblens sends, word for word, with its BEGIN and COMMIT, and \
does nothing else. `JobRepository` is used as a worker in Python would, a `session_scope` for each \
change. Both run in the process that measures. `transitionJob` goes over kept HTTP connections to \
a server of one process. PostgreSQL shares the machine with all of them. Contestants take turns, \
and each figure is the median of its rounds: compare the ratios.

{facts}

| | changes/s, 1 connection | of asyncpg | p50 ms | p99 ms | changes/s, {many} \
connections | of asyncpg |
|---|--:|--:|--:|--:|--:|--:|
{rows}
"""


@dataclass(slots=True)
class Contestant:
    """A way to change statuses: its samples by the number of connections, and its own jobs."""

    connect: Connect
    steps: list[Iterator[Step]]
    samples: dict[int, list[Sample]] = field(default_factory=lambda: defaultdict(list))

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


async def measure(url: str, *, rounds: int, seconds: float, many: int) -> Mapping[str, Contestant]:
    """Let the contestants take turns."""
    async with serving(JOBLENS, url) as server:
        statements = await record(url)
        ways = {
            BARE: bare(url, statements),
            REPOSITORY: through_repository(url),
            API: through_api(server.port),
        }
        contestants = {name: Contestant(way, await _jobs(url, many)) for name, way in ways.items()}
        done = 0
        for round_ in range(rounds + 1):
            for one in contestants.values():
                for connections in (1, many):
                    lasting = seconds if round_ else WARM_UP_SECONDS
                    sample = await one.load(connections, lasting)
                    done += len(sample.latencies)
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


def table(contestants: Mapping[str, Contestant], many: int) -> str:
    """Write the contestants' rows."""
    one = 1

    def figure(name: str, connections: int, value: str) -> float:
        samples = contestants[name].samples[connections]
        return float(median(getattr(each, value) for each in samples))

    def row(name: str) -> str:
        alone, busy = (figure(name, n, "per_second") for n in (one, many))
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
            found = await measure(
                server.url,
                rounds=options.rounds,
                seconds=options.seconds,
                many=options.connections,
            )
            facts = await report.facts(server.url)
        finally:
            await asyncio.to_thread(server.stop)
    many = options.connections
    rows = table(found, many)
    page = PAGE.format(
        command=report.command("benchmarks.writing"), facts=facts, rows=rows, many=many
    )
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.writing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each load lasts")
    parser.add_argument("--rounds", type=int, default=5, help="how often contestants take turns")
    parser.add_argument("--connections", type=int, default=MANY, help="as many, beside one")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    try:
        import uvloop as loop  # noqa: PLC0415 - not on Windows
    except ImportError:
        loop = asyncio
    loop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
