"""Celery with the client's recorder beside Celery without it: 10,000 tasks that do nothing.

`python -m benchmarks.clients [--write FILE]`. Needs redis-server, and what `make bench-clients`
installs. Each round enqueues the tasks, starts a worker, and waits until it has run them all.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import asyncpg
from redis.asyncio import Redis

from benchmarks import report, servers
from db import embedded, migrations

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv" / "clients" / "celery" / "bin" / "python"
CHILDREN = 2
COMPLETE = "queued 0, running 1, succeeded 1"
HISTORIES = """
SELECT string_agg(next_status || ' ' || attempt, ', ' ORDER BY seq)
FROM job_event WHERE job_id IN (SELECT id FROM job) GROUP BY job_id
"""

PAGE = """\
# Benchmarks of the client for Python workers

{tasks:,} Celery tasks that do nothing, as fast as Celery runs them, by one command:

    {command}

Tasks are enqueued in redis-server, then a worker with {children} children runs them; there is no \
result backend. *With* the recorder, producer and worker report to a Joblens in a process of its \
own. {placed} The two take turns, and each figure is the median of {rounds} rounds: compare the \
ratios. A task that does work takes longer, and the recorder as long as here. *Processor time* is \
that of the worker, main process and children, until all has been sent.

{facts}

| | without | with | ratio |
|---|--:|--:|--:|
{rows}

Jobs in the ledger with all of their history, each event once: {complete:,} of {expected:,}.
"""
SHARED = "Both, PostgreSQL and Redis share all of the machine's cores."
APART = """\
Celery and Redis have one of the machine's cores, Joblens and PostgreSQL the other, as where a \
ledger has a machine of its own."""


@dataclass
class Round:
    """What one round took: seconds to enqueue, seconds to run, processor time of the worker."""

    enqueue: float
    run: float
    cpu: float


@dataclass
class Bench:
    """Where the parts are, and how many tasks each round has."""

    folder: Path
    tasks: int
    cores: frozenset[int]
    rounds: dict[bool, list[Round]] = field(default_factory=lambda: {False: [], True: []})

    @property
    def socket(self) -> Path:
        """Get the socket of redis-server."""
        return self.folder / "redis.sock"

    async def started(self, *command: str | Path, **environment: str) -> asyncio.subprocess.Process:
        """Start a process on the cores of Celery."""
        cores = ",".join(map(str, sorted(self.cores)))
        return await asyncio.create_subprocess_exec(
            *("taskset", "-c", cores, *map(str, command)),
            cwd=Path(__file__).parent,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "clients" / "python")}
            | {"TMPDIR": str(self.folder), "REDIS_SOCKET": str(self.socket)}
            | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def run(self, environment: Mapping[str, str]) -> Round:
        """Enqueue tasks and have a worker run them."""
        with TemporaryDirectory(dir=self.folder) as times:
            given = {"TIMES": times, **environment}
            producer = await self.started(PYTHON, "-m", "celery_tasks", str(self.tasks), **given)
            enqueue = float((await producer.communicate())[0])
            worker = await self.started(*self._worker(), **given)
            await self._at_rest(worker)
            worker.terminate()
            await worker.communicate()
            seen = _read(Path(times))
        began = min(each["began"] for each in seen if "began" in each)
        ended = max(each["ended"] for each in seen if "ended" in each)
        cpu = sum(each["cpu_after"] - each["cpu_before"] for each in seen)
        return Round(enqueue, ended - began, cpu)

    def _worker(self) -> list[str | Path]:
        options = ["-c", str(CHILDREN), "-l", "error", "--without-gossip", "--without-mingle"]
        return [PYTHON, "-m", "celery", "-A", "celery_tasks", "worker", *options]

    async def _at_rest(self, worker: asyncio.subprocess.Process) -> None:
        async with Redis(unix_socket_path=str(self.socket)) as redis:
            while await redis.llen("bench") or await redis.hlen("unacked"):
                if worker.returncode is not None:
                    raise RuntimeError("the worker has ended")
                await asyncio.sleep(0.5)


def _read(folder: Path) -> list[dict[str, float]]:
    return [json.loads(each.read_text()) for each in folder.iterdir()]


async def settled(url: str, jobs: int) -> int:
    """Wait until the ledger has so many jobs at rest; return how many have all of their history."""
    connection = await asyncpg.connect(url)
    last = -1
    while (events := await connection.fetchval("SELECT count(*) FROM job_event")) != last:
        last = events
        await asyncio.sleep(2)
    found = Counter(row[0] for row in await connection.fetch(HISTORIES))
    await connection.close()
    for history, number in found.most_common():
        if history != COMPLETE:
            print(f"{number}: {history}", file=sys.stderr)
    if sum(found.values()) != jobs:
        print(f"{sum(found.values())} jobs, not {jobs}", file=sys.stderr)
    return found[COMPLETE]


def rows(rounds: Mapping[bool, list[Round]], tasks: int) -> Iterator[str]:
    """Write the rows of the table: medians."""
    for name, attribute in (
        ("run a task", "run"),
        ("enqueue a task", "enqueue"),
        ("processor time of a task", "cpu"),
    ):
        without, with_ = (
            1e6 * median(getattr(each, attribute) for each in rounds[has]) / tasks
            for has in (False, True)
        )
        yield f"| {name} | {without:,.0f} µs | {with_:,.0f} µs | {with_ / without:.3f} |"


async def measure(bench: Bench, database_url: str, rounds: int) -> int:
    """Let the two take turns; the first round warms up. Return how many histories are complete."""
    complete = 0
    async with servers.serving(servers.JOBLENS, database_url) as server:
        url = f"http://127.0.0.1:{server.port}"
        for number in range(rounds + 1):
            for has in (False, True):
                found = await bench.run({"JOBLENS_URL": url} if has else {})
                print(f"{'with' if has else 'without'}: {found}", file=sys.stderr)
                if number:
                    bench.rounds[has].append(found)
            # What the ledger has not done yet must not disturb the next round.
            complete = await settled(database_url, bench.tasks * (number + 1))
    return complete


@asynccontextmanager
async def redis_server(bench: Bench) -> AsyncIterator[None]:
    """Run a redis-server on the cores of Celery."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("there is no redis-server: on Debian, apt-get install redis-server")
    options = ["--port", "0", "--unixsocket", str(bench.socket), "--save", ""]
    process = await bench.started(program, *options, "--dir", bench.folder)
    while not bench.socket.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()


async def _run(options: argparse.Namespace) -> None:
    cores = os.sched_getaffinity(0)
    own = frozenset(sorted(cores)[: len(cores) // 2]) if options.apart else frozenset(cores)
    if options.apart:
        os.sched_setaffinity(0, cores - own)  # of the servers, too, which are started from here
    with TemporaryDirectory(prefix="joblens-") as name:
        bench = Bench(Path(name), options.tasks, own)
        server = await asyncio.to_thread(embedded.start, bench.folder / "ledger")
        try:
            await migrations.upgrade(server.url)
            async with redis_server(bench):
                complete = await measure(bench, server.url, options.rounds)
            facts = await report.facts(server.url)
        finally:
            await asyncio.to_thread(server.stop)
    page = PAGE.format(
        tasks=options.tasks,
        command=report.command("benchmarks.clients"),
        children=CHILDREN,
        placed=APART if options.apart else SHARED,
        rounds=options.rounds,
        facts=facts,
        rows="\n".join(rows(bench.rounds, options.tasks)),
        complete=complete,
        expected=options.tasks * (options.rounds + 1),
    )
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.clients", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000, help="tasks of a round")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns")
    parser.add_argument("--apart", action="store_true", help="give the ledger cores of its own")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
