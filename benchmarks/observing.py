"""The price of being seen: applications with metrics and traces beside one without.

`python -m benchmarks.observing [--write FILE]`, on the benchmarks' ledger, made if need be.
"""

import argparse
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from benchmarks import report
from benchmarks.applications import Application, applications
from benchmarks.ledger import ledger
from benchmarks.limits import CONNECTIONS, QUERIES
from benchmarks.load import graphql
from benchmarks.pairs import Ratio, ratio
from benchmarks.processes import cpu_nanoseconds

# What metrics and traces may cost.
BAR = 1.03
PERCENT = round((BAR - 1) * 100)

OFF: Mapping[str, str] = {
    "auth": "none",
    "log_level": "error",
    # Nothing but requests.
    "tally_interval_seconds": "0",
    "prune_interval_seconds": "0",
}
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
# Short ones: a machine's speed is the same in all of a turn.
TURNS, SLICE_MS = 500, 20.0
# Requests on each connection.
WARM_UP = 30

REPORT = """\
# The price of being seen

{section}
Measured by:

    {command}

{facts}
"""

SECTION = """\
Three applications of Joblens in one process that has a core of its own: one without metrics, one \
with metrics and bounds for slow operations and statements, and one that also makes traces and has \
no exporter. They take {turns} turns of some {milliseconds:.0f} ms each, in random orders in which \
none follows itself, with the same number of requests on {connections} kept connections. Ratios \
are those of the process's processor time in a turn: their median, and the interval that has the \
true one with a confidence of 95 %. *At most {percent} %*: whether that interval is below.

| | without, ms | metrics | at most {percent} % | metrics and traces | at most {percent} % |
|---|--:|--:|---|--:|---|
{rows}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one query took: a request without, and the ratios of the others."""

    without: float
    ratios: tuple[Ratio, ...]

    @property
    def row(self) -> str:
        """The cells of the report."""
        cells = (
            f"{each.median:.3f} ({each.low:.3f} to {each.high:.3f}) | {each.is_at_most(BAR)}"
            for each in self.ratios
        )
        return " | ".join((f"{self.without:.3f}", *cells))


async def measure(url: str, turns: int) -> dict[str, Figures]:
    """Measure the milliseconds of processor time of each query."""
    async with applications(url, CONTESTANTS, CONNECTIONS) as contestants:
        found = {}
        for name, query in QUERIES.items():
            request = graphql(query)
            warm = [await _take(each, request, WARM_UP) for each in (*contestants, *contestants)]
            times = max(1, round(SLICE_MS / CONNECTIONS / min(warm)))
            found[name] = await _take_turns(request, contestants, turns, times)
        return found


async def _take_turns(
    request: bytes, contestants: Sequence[Application], turns: int, times: int
) -> Figures:
    found: list[list[float]] = [[] for _ in contestants]
    for order in _orders(len(contestants), turns):
        for each in order:
            found[each].append(await _take(contestants[each], request, times))
    first, *others = found
    return Figures(
        median(first),
        tuple(
            ratio([each / without for each, without in zip(other, first, strict=True)])
            for other in others
        ),
    )


def _orders(number: int, turns: int) -> Iterator[list[int]]:
    """Yield random orders, in which none follows itself: the caches would still be its own."""
    random, last = Random(turns), None
    for _ in range(turns):
        order = random.sample(range(number), number)
        while order[0] == last:
            random.shuffle(order)
        last = order[-1]
        yield order


async def _take(contestant: Application, request: bytes, times: int) -> float:
    """Measure the milliseconds of a request, once the processor's caches are the application's."""
    await contestant.send(request, 1)
    before = cpu_nanoseconds(contestant.pid)
    await contestant.send(request, times)
    taken = cpu_nanoseconds(contestant.pid) - before
    return taken / 1e6 / (times * len(contestant.clients))


async def section(url: str, turns: int = TURNS) -> str:
    """Measure, and write the part of a report."""
    measured = await measure(url, turns)
    return SECTION.format(
        connections=CONNECTIONS,
        turns=turns,
        milliseconds=SLICE_MS,
        percent=PERCENT,
        rows="\n".join(f"| {name} | {figures.row} |" for name, figures in measured.items()),
    )


async def _run(options: argparse.Namespace) -> None:
    async with ledger() as url:
        text = REPORT.format(
            facts=await report.facts(url),
            section=await section(url, options.turns),
            command=report.command("benchmarks.observing"),
        )
    print(text)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.observing", description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
