"""The price of protection: a server with all of it beside one with all of it off, in one run.

`python -m benchmarks.limits [--write FILE]`, on the benchmarks' ledger, made if need be.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from benchmarks import queries, report
from benchmarks.ledger import ORG, ledger
from benchmarks.load import graphql, load
from benchmarks.servers import JOBLENS, Server, serving

CONNECTIONS = 8
OFF, ADMIN, VIEWER = "all off", "an administrator", "a viewer"
# All protection that is on by default is on; signed-in clients are counted, timed and audited.
ON: Mapping[str, str] = {"auth": "token"}
NONE: Mapping[str, str] = {
    "auth": "none",
    "rate_points_per_minute": "0",
    "audit_log": "false",
}
# Neither refuses what is measured here.
ALIKE: Mapping[str, str] = {"log_level": "error"}
UNBOUND: Mapping[str, str] = {"rate_points_per_minute": "1000000000"}

QUERIES = {
    "`{ viewer { orgId } }`, no SQL": "{ viewer { orgId } }",
    "one job": "{ jobs(first: 1) { nodes { id status } } }",
    "page of 50 failed jobs with 8 events each": queries.NESTED,
    "page of 200 jobs, all scalars but `payload`": queries.FLAT,
    queries.SINGLE["statusCountsAtMost"][0]: queries.SINGLE["statusCountsAtMost"][1],
}

REPORT = """\
# The price of protection

Two `joblens serve` processes on the benchmarks' ledger, which take turns. On one, clients sign in \
with tokens, and every other protection is at its default, but for enough points a minute. On the \
other, nobody signs in, and nothing is counted against anybody, hidden or audited; what is worked \
out at a document's first use, such as its size and its cost, is the same on both. Requests per \
second on {connections} kept connections, the medians of {rounds} rounds of {seconds:g} s each. \
Measured by:

    {command}

{facts}

| | all off | an administrator's token | of all off | a viewer's token | of all off |
|---|--:|--:|--:|--:|--:|
{rows}

From a viewer, secrets are hidden: the text of payloads, results and details is looked through.
"""


async def measure(url: str, rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Get the requests per second of each query by each contestant."""
    # There may be one from an earlier run.
    await _joblens(url, "org", "create", "benchmark", "--id", str(ORG))
    tokens = {role: await _token(url, role) for role in ("admin", "viewer")}
    async with AsyncExitStack() as stack:
        off = await stack.enter_async_context(serving(JOBLENS, url, **NONE, **ALIKE))
        on = await stack.enter_async_context(serving(JOBLENS, url, **ON, **ALIKE, **UNBOUND))
        contestants: dict[str, tuple[Server, str | None]] = {
            OFF: (off, None),
            ADMIN: (on, tokens["admin"]),
            VIEWER: (on, tokens["viewer"]),
        }
        return {
            name: await _measure_one(query, contestants, rounds, seconds)
            for name, query in QUERIES.items()
        }


async def _measure_one(
    query: str,
    contestants: Mapping[str, tuple[Server, str | None]],
    rounds: int,
    seconds: float,
) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(rounds + 1):
        for name, (server, token) in contestants.items():
            request = graphql(query, authorization=token)
            sample = await load(server.port, request, connections=CONNECTIONS, seconds=seconds)
            # The first round is to warm up.
            if round_:
                found[name].append(sample.per_second)
    return {name: median(values) for name, values in found.items()}


async def _token(url: str, role: str) -> str:
    named = ("--role", role, "--name", f"benchmark {role}", "--expires", "1h")
    token = await _joblens(url, "token", "create", "--org", str(ORG), *named)
    return f"Bearer {token}"


async def _joblens(url: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "joblens", *arguments),
        env={"JOBLENS_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    printed, _ = await process.communicate()
    return printed.decode().strip()


async def _run(options: argparse.Namespace) -> None:
    async with ledger() as url:
        facts = await report.facts(url)
        measured = await measure(url, options.rounds, options.seconds)
    rows = "\n".join(_row(name, found) for name, found in measured.items())
    text = REPORT.format(
        connections=CONNECTIONS,
        rounds=options.rounds,
        seconds=options.seconds,
        command=report.command("benchmarks.limits"),
        facts=facts,
        rows=rows,
    )
    print(text)
    if options.write:
        options.write.write_text(text)


def _row(name: str, found: Mapping[str, float]) -> str:
    off = found[OFF]
    signed = (f"{found[who]:,.0f} | {found[who] / off:.2f}" for who in (ADMIN, VIEWER))
    return f"| {name} | {off:,.0f} | {' | '.join(signed)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load of a round")
    parser.add_argument("--write", type=Path, metavar="FILE")
    asyncio.run(_run(parser.parse_args()))
