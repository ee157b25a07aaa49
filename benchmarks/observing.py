"""The price of being seen: servers with metrics and traces beside one without.

`python -m benchmarks.observing [--write FILE]`, on the benchmarks' ledger, made if need be.
"""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.ledger import ledger
from benchmarks.limits import CONNECTIONS, QUERIES
from benchmarks.load import graphql, load
from benchmarks.processes import cpu_seconds
from benchmarks.servers import JOBLENS, Server, serving

OFF: Mapping[str, str] = {"auth": "none", "log_level": "error"}
METRICS: Mapping[str, str] = {
    **OFF,
    "metrics_port": "0",
    # Nothing takes so long, but each is compared.
    "slow_operation_seconds": "3600",
    "slow_statement_seconds": "3600",
}
# Without an SDK there is nothing to export to.
TRACES: Mapping[str, str] = {**METRICS, "traces": "true"}
CONTESTANTS = (OFF, METRICS, TRACES)

REPORT = """\
# The price of being seen

Three `joblens serve` processes on the benchmarks' ledger, which take turns: one without metrics, \
one with metrics and bounds for slow operations and statements, and one that also makes traces \
and has no exporter. The server's processor time of a request in ms, on {connections} kept \
connections, and the ratios: medians of {rounds} rounds of {seconds:g} s each. Unlike requests per \
second it depends little on what else the machine does. Measured by:

    {command}

{facts}

| | without | metrics | ratio | metrics and traces | ratio |
|---|--:|--:|--:|--:|--:|
{rows}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one query took: of each contestant the milliseconds, and their ratio to the first."""

    cpu_ms: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def row(self) -> str:
        """The cells of the report."""
        first, *others = self.cpu_ms
        return " | ".join(
            (
                f"{first:.3f}",
                *(
                    f"{cpu_ms:.3f} | {ratio:.3f}"
                    for cpu_ms, ratio in zip(others, self.ratios[1:], strict=True)
                ),
            )
        )


async def measure(url: str, rounds: int, seconds: float) -> dict[str, Figures]:
    """Measure each query with each of the contestants."""
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serving(JOBLENS, url, **options))
            for options in CONTESTANTS
        ]
        return {
            name: await _measure_one(query, servers, rounds, seconds)
            for name, query in QUERIES.items()
        }


async def _measure_one(
    query: str, servers: Sequence[Server], rounds: int, seconds: float
) -> Figures:
    found: list[tuple[float, ...]] = []
    for round_ in range(rounds + 1):
        # Each goes first as often as the others.
        first = round_ % len(servers)
        taken = {
            server.port: await _cpu_ms(server, query, seconds)
            for server in (*servers[first:], *servers[:first])
        }
        # The first round is to warm up.
        if round_:
            found.append(tuple(taken[server.port] for server in servers))
    return Figures(
        tuple(median(each) for each in zip(*found, strict=True)),
        tuple(
            median(ratios)
            for ratios in zip(*([ms / each[0] for ms in each] for each in found), strict=True)
        ),
    )


async def _cpu_ms(server: Server, query: str, seconds: float) -> float:
    """Measure the server's processor time of a request under load, in milliseconds."""
    before = cpu_seconds(server.pid)
    loaded = await load(server.port, graphql(query), connections=CONNECTIONS, seconds=seconds)
    return (cpu_seconds(server.pid) - before) * 1000 / len(loaded.latencies)


async def _run(options: argparse.Namespace) -> None:
    async with ledger() as url:
        facts = await report.facts(url)
        measured = await measure(url, options.rounds, options.seconds)
    rows = "\n".join(f"| {name} | {figures.row} |" for name, figures in measured.items())
    text = REPORT.format(
        connections=CONNECTIONS,
        rounds=options.rounds,
        seconds=options.seconds,
        command=shlex.join([".venv/bin/python", "-m", "benchmarks.observing", *sys.argv[1:]]),
        facts=facts,
        rows=rows,
    )
    print(text)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.observing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load of a round")
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
