"""Facts per second: `JobRepository.record_facts` in batches of 500, beside plain INSERTs.

`python -m benchmarks.facts [--write FILE]`. Each job has four facts: queued, started, failed and
queued again. *As they happen*: each batch has one fact of each of 500 jobs. *In bulk*: each has all
facts of 125 jobs, as when a queue's table is copied.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg

from benchmarks import report
from benchmarks.ledger import ORG
from db import embedded, migrations
from joblens import (
    EngineOptions,
    Fact,
    JobRepository,
    JobStatus,
    Source,
    create_worker_engine,
    session_scope,
)

BATCH = 500
JOBS = 4_000
STEPS = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED, JobStatus.QUEUED)
START = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTIONS = (1, 2)

PAGE = """\
# Benchmarks of facts

Facts of jobs that another system runs, in batches of {batch}, by one command:

    {command}

Each batch is a transaction of `JobRepository.record_facts`, in the process that measures; \
PostgreSQL shares the machine with it. Each job has four facts. *As they happen*: a batch has one \
fact of each of {batch} jobs, which are read and written again each time. *In bulk*: it has all \
facts of {share} jobs. *INSERT* is asyncpg alone, which inserts an event for each fact, of jobs \
that are there, and does nothing else. Contestants take turns, and each figure is the median of \
its rounds: compare the ratios.

{facts}

| | facts/s, 1 connection | of INSERT | facts/s, 2 connections | of INSERT |
|---|--:|--:|--:|--:|
{rows}
"""

Batch = Sequence[Fact]
Send = Callable[[Sequence[Batch]], Awaitable[None]]


def histories() -> list[list[Fact]]:
    """Make the facts of new jobs."""
    mark = uuid4().hex
    return [
        [
            Fact(
                f"{mark}-{number}",
                START + timedelta(seconds=number, milliseconds=100 * step),
                status,
                attempt=min(step, 1),
                **_described(number) if step == 0 else {},
            )
            for step, status in enumerate(STEPS)
        ]
        for number in range(JOBS)
    ]


def _described(number: int) -> dict[str, object]:
    payload = {"to": f"user-{number}@example.com", "template": "welcome"}
    return {"type": "email.send", "queue": "mail", "payload": payload, "max_attempts": 3}


def as_they_happen() -> Iterator[Batch]:
    """Yield batches with a fact of each job."""
    made = histories()
    for start in range(0, JOBS, BATCH):
        for step in range(len(STEPS)):
            yield [steps[step] for steps in made[start : start + BATCH]]


def in_bulk() -> Iterator[Batch]:
    """Yield batches with all facts of each job."""
    made = [fact for steps in histories() for fact in steps]
    for start in range(0, len(made), BATCH):
        yield made[start : start + BATCH]


async def measured(send: Send, batches: Sequence[Batch], connections: int) -> float:
    """Return the facts per second over so many connections, each with batches of its own."""
    each = len(STEPS) * (len(batches) // (len(STEPS) * connections))
    parts = [batches[n * each : (n + 1) * each] for n in range(connections)]
    started = time.perf_counter()
    await asyncio.gather(*map(send, parts))
    return sum(map(len, batches)) / (time.perf_counter() - started)


async def measure(url: str, rounds: int) -> dict[str, dict[int, list[float]]]:
    """Let the contestants take turns; the first round warms up."""
    # As `joblens serve` does.
    gc.freeze()
    engine = create_worker_engine(url, EngineOptions(pool_size=max(CONNECTIONS)))
    source = Source("shop", "benchmark")

    async def record(batches: Sequence[Batch]) -> None:
        for batch in batches:
            async with session_scope(ORG, engine=engine) as session:
                await JobRepository(session).record_facts(source, batch)

    async def insert(batches: Sequence[Batch]) -> None:
        await _insert(url, batches)

    ways: dict[str, tuple[Send, Callable[[], Iterator[Batch]]]] = {
        "INSERT": (insert, as_they_happen),
        "as they happen": (record, as_they_happen),
        "in bulk": (record, in_bulk),
    }
    found: dict[str, dict[int, list[float]]] = {name: {n: [] for n in CONNECTIONS} for name in ways}
    for round_ in range(rounds + 1):
        for name, (send, make) in ways.items():
            for connections in CONNECTIONS:
                rate = await measured(send, list(make()), connections)
                if round_:
                    found[name][connections].append(rate)
    await engine.dispose()
    return found


async def _insert(url: str, batches: Sequence[Batch]) -> None:
    connection = await asyncpg.connect(url)
    job_id = await connection.fetchval(
        "INSERT INTO job (org_id, type) VALUES ($1, 'benchmark') RETURNING id", ORG
    )
    seq = 0
    for batch in batches:
        seqs = list(range(seq + 1, seq + len(batch) + 1))
        await connection.execute(
            "INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt)"
            " SELECT $1, $2, *, 'queued', 'queued', 0 FROM unnest($3::int[], $4::timestamptz[])",
            ORG,
            job_id,
            seqs,
            [fact.ts for fact in batch],
        )
        seq = seqs[-1]
    await connection.close()


def table(found: dict[str, dict[int, list[float]]]) -> str:
    """Write the rows of the table."""

    def row(name: str) -> str:
        cells = [name]
        for connections in CONNECTIONS:
            rate = median(found[name][connections])
            bare = median(found["INSERT"][connections])
            cells += [f"{rate:,.0f}", f"{rate / bare:.2f}"]
        return f"| {' | '.join(cells)} |"

    return "\n".join(map(row, found))


async def _run(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="joblens-") as folder:
        server = await asyncio.to_thread(embedded.start, Path(folder))
        try:
            await migrations.upgrade(server.url)
            found = await measure(server.url, options.rounds)
            facts = await report.facts(server.url)
        finally:
            await asyncio.to_thread(server.stop)
    command = report.command("benchmarks.facts")
    share = BATCH // len(STEPS)
    page = PAGE.format(batch=BATCH, share=share, command=command, facts=facts, rows=table(found))
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.facts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often contestants take turns")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
