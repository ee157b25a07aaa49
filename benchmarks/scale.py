"""Queries of ten million jobs of one organisation, beside the same ones of a hundred thousand.

`python -m benchmarks.scale [--data DIR] [--ledger-only] [--only SECTION] [--write FILE]`.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import UUID

import orjson

from benchmarks import report, scale_now
from benchmarks.load import Client, graphql
from benchmarks.scale_data import JOBS, JOBS_OF_MIDDLE, LARGE, MIDDLE
from benchmarks.scale_ledger import DATA_DIR, ledger_at
from benchmarks.scale_queries import SECTIONS
from benchmarks.servers import JOBLENS, serving

# The most and least requests that one figure is the median of, and after how long it ends.
MOST, LEAST, SECONDS = 15, 3, 4.0

PAGE = """\
# Benchmarks of ten million jobs

One organisation has {jobs:,} jobs with 30 million events, another one {middle:,}; a thousand \
small ones lie beside them. The same queries are sent to both, by one command, which first makes \
the ledger in some minutes:

    {command}

Requests go to a server of one process, one at a time, warm, over one kept connection, and \
PostgreSQL shares the machine with it. Each figure is the median of up to {most} requests, in \
milliseconds. An error is an answer too: `SCAN_TIMEOUT` says which filter to add. Before it \
began, the load average of the machine was {load:.1f}: what else runs makes figures larger.

Of the newest {share:.0%} of the jobs a third are children of ten each, a third are one batch, and \
a third are batches of 200. In the last {minutes} minutes there were {events:,} changes of status; \
those of the last minute are in no sum yet.

{facts}
"""
SECTION = """\
## {title}

| | {middle:,} jobs | {jobs:,} jobs | times |
|---|--:|--:|--:|
{rows}
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """The median time of a request, and the code of an error among the answers."""

    milliseconds: float
    error: str | None

    def __str__(self) -> str:
        return f"{self.milliseconds:,.1f}" + (f" (`{self.error}`)" if self.error else "")


async def measure(client: Client, query: str, org: UUID) -> Figure:
    """Ask until the figure is steady: at least LEAST times, the first of which does not count."""
    request = graphql(query, org=str(org))
    answers = {await client.send(request)}
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < LEAST or (len(taken) < MOST and time.perf_counter() - started < SECONDS):
        before = time.perf_counter()
        answers.add(await client.send(request))
        taken.append(time.perf_counter() - before)
    errors = [each for answer in answers for each in orjson.loads(answer).get("errors", ())]
    return Figure(median(taken) * 1000, errors[0]["extensions"]["code"] if errors else None)


async def _section(client: Client, title: str, queries: Mapping[str, str]) -> str:
    rows = []
    for name, query in queries.items():
        small, large = [await measure(client, query, org) for org in (MIDDLE, LARGE)]
        times = large.milliseconds / small.milliseconds
        rows.append(f"| {name} | {small} | {large} | {times:.1f} |")
        print(rows[-1], file=sys.stderr, flush=True)
    return SECTION.format(title=title, jobs=JOBS, middle=JOBS_OF_MIDDLE, rows="\n".join(rows))


async def _run(options: argparse.Namespace) -> None:
    print("preparing the ledger (some minutes, the first time)", file=sys.stderr)
    async with ledger_at(options.data) as url:
        if options.ledger_only:
            return
        command = report.command("benchmarks.scale")
        parts = [
            PAGE.format(
                jobs=JOBS,
                middle=JOBS_OF_MIDDLE,
                command=command,
                most=MOST,
                facts=await report.facts(url),
                load=os.getloadavg()[0],
                share=scale_now.RELATED,
                minutes=scale_now.MINUTES,
                events=3 * scale_now.MINUTES * scale_now.PER_MINUTE,
            )
        ]
        # No sums are made meanwhile: these find what the last minute left.
        await scale_now.relive(url)
        async with serving(JOBLENS, url, tally_interval_seconds="0") as server:
            client = await Client.connect(server.port)
            for title in [options.only] if options.only else SECTIONS:
                queries = SECTIONS[title]
                parts.append(await _section(client, title, queries))
            await client.close()
    page = report.join(parts)
    print(page)
    if options.write:
        options.write.write_text(page)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--only", metavar="SECTION", help="only measure this section, such as Why")
    parser.add_argument(
        "--data", type=Path, default=DATA_DIR, metavar="DIR", help="where the ledger is kept"
    )
    parser.add_argument("--ledger-only", action="store_true", help="only make the ledger")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
