"""The price of being seen: a server with metrics and slow queries on beside one without.

`python -m benchmarks.observing [--write FILE]`, on the benchmarks' ledger, made if need be.
"""

import argparse
import asyncio
import shlex
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.ledger import ledger
from benchmarks.limits import CONNECTIONS, QUERIES
from benchmarks.load import graphql, load
from benchmarks.servers import JOBLENS, Server, serving

OFF: Mapping[str, str] = {"auth": "none", "log_level": "error"}
ON: Mapping[str, str] = {
    **OFF,
    "metrics_port": "0",
    # Nothing takes so long, but each is compared.
    "slow_operation_seconds": "3600",
    "slow_statement_seconds": "3600",
}

REPORT = """\
# The price of being seen

Two `joblens serve` processes on the benchmarks' ledger, which take turns: one without metrics, \
and one with metrics and bounds for slow operations and statements. Requests per second on \
{connections} kept connections, and the median of the ratios of {rounds} rounds of {seconds:g} s \
each. Measured by:

    {command}

{facts}

| | without | with | ratio |
|---|--:|--:|--:|
{rows}
"""


async def measure(url: str, rounds: int, seconds: float) -> dict[str, tuple[float, float, float]]:
    """Get of each query the requests per second without and with, and the ratio."""
    async with AsyncExitStack() as stack:
        off = await stack.enter_async_context(serving(JOBLENS, url, **OFF))
        on = await stack.enter_async_context(serving(JOBLENS, url, **ON))
        return {
            name: await _measure_one(query, off, on, rounds, seconds)
            for name, query in QUERIES.items()
        }


async def _measure_one(
    query: str, off: Server, on: Server, rounds: int, seconds: float
) -> tuple[float, float, float]:
    found: list[tuple[float, float]] = []
    for round_ in range(rounds + 1):
        # Each goes first in every other round.
        order = (off, on) if round_ % 2 else (on, off)
        by_server = {
            server.port: await load(
                server.port, graphql(query), connections=CONNECTIONS, seconds=seconds
            )
            for server in order
        }
        # The first round is to warm up.
        if round_:
            found.append((by_server[off.port].per_second, by_server[on.port].per_second))
    without, with_ = (median(values) for values in zip(*found, strict=True))
    return without, with_, median(two / one for one, two in found)


async def _run(options: argparse.Namespace) -> None:
    async with ledger() as url:
        facts = await report.facts(url)
        measured = await measure(url, options.rounds, options.seconds)
    rows = "\n".join(
        f"| {name} | {without:,.0f} | {with_:,.0f} | {ratio:.3f} |"
        for name, (without, with_, ratio) in measured.items()
    )
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
    parser.add_argument("--seconds", type=float, default=1.0, help="of each load of a round")
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
