"""The results as Markdown, and what they were measured on."""

import os
import platform
import shlex
import subprocess
import sys
import timeit
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import queries
from benchmarks.importing import ImportSpeed
from benchmarks.ledger import EVENTS_PER_JOB, JOBS, connected
from benchmarks.rounds import CONNECTIONS, Results
from benchmarks.servers import BARE, BARE_FLAT, JOBLENS, Contestant

MEBIBYTE = 1024**2
# Machines with shared processors differ from day to day: figures of two days compare by it.
ADDITIONS = 10_000_000

INTRODUCTION = f"""\
# Benchmarks

Measured on {JOBS:,} jobs with {JOBS * EVENTS_PER_JOB:,} events, each server one process (uvicorn \
with uvloop and httptools) on kept connections, by one command:

    {{command}}

The load generator and PostgreSQL share the machine with the server that is measured. Contestants \
take turns, and each figure is the median of its rounds: compare the ratios, for they travel to \
other machines better than the times. Latencies are those of one connection, requests per second \
those of {CONNECTIONS}.

{{facts}}
"""

CONTESTANTS = """\
| | requests/s | of bare | p50 ms | p99 ms | server CPU ms | PostgreSQL CPU ms | peak memory |
|---|--:|--:|--:|--:|--:|--:|--:|
{rows}
"""

NESTED = """\
## A page of 50 failed jobs with 8 events each

{table}
*bare* is a Starlette endpoint that passes on the JSON of one hand-written statement through \
asyncpg, whatever is asked: the least that can be done. *textbook* answers the same query with \
Strawberry's defaults, SQLAlchemy's ORM objects and a DataLoader. {postgraphile} All give the same \
answer. CPU is the processor time of a request, with {connections} connections.

{ratios}
"""

POSTGRAPHILE = """\
*PostGraphile* is its Amber preset with no options, as the database's owner: no row level \
security, no transaction. It is asked the same fields by its names for them."""
NO_POSTGRAPHILE = "PostGraphile was not measured: it needs Node and npm."

FLAT = """\
## A page of 200 jobs with all scalars but `payload`

{table}
*bare* has an endpoint of its own for this page, whose statement works out `waitSeconds` and \
`runSeconds`, too.

{ratios}
"""

# Two figures, as the first depends on the machine's other cores.
RATIOS = """\
Joblens serves **{of_bare:.2f} of bare{of_others}** on this machine, where the server, PostgreSQL \
and the load generator compete for {cores} cores. Bare leaves most of its work to PostgreSQL. By \
the processor time of the server process alone, as where PostgreSQL has cores of its own, Joblens \
serves **{of_core:.2f} of bare per server core**."""

SINGLE = """\
## Other queries

| | p50 ms | p99 ms | requests/s |{names}
|---|--:|--:|--:|{columns}
{rows}

Peak memory of the server after all of them: {memory}.
"""

IMPORT = """\
## Import

{jobs:,} jobs with {events:,} events ({megabytes:.0f} MiB of NDJSON) into an empty database took \
{seconds:.1f} s: **{per_second:,.0f} jobs a second**, {events_per_second:,.0f} events a second. \
The importer's peak memory was {memory}.
"""


def command(module: str) -> str:
    """Return the command of a benchmark, without its `--data`, a folder of this machine."""
    given = iter(sys.argv[1:])
    arguments = []
    for each in given:
        if each == "--data":
            next(given, None)
        elif not each.startswith("--data="):
            arguments.append(each)
    return shlex.join([".venv/bin/python", "-m", module, *arguments])


async def introduction(url: str, command: str) -> str:
    """Say what was run, on what."""
    return INTRODUCTION.format(command=command, facts=await facts(url))


async def facts(url: str) -> str:
    """Write what figures depend on: the machine, the versions, the commit."""
    async with connected(url) as connection:
        postgres = await connection.fetchval("SHOW server_version")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    known = {
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.machine()}",
        "Python": f"{platform.python_version()}, {ADDITIONS:,} additions in {_yardstick():.2f} s",
        "PostgreSQL": f"{postgres} (embedded, default settings)",
        "commit": commit(Path(__file__).parent),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in known.items())
    return f"| | |\n|---|---|\n{table}"


def _yardstick() -> float:
    """Measure the seconds of many additions; the median of three times."""
    return median(
        timeit.repeat(
            "for each in range(n): total += each", f"n, total = {ADDITIONS}, 0", number=1, repeat=3
        )
    )


def nested(measured: Results) -> str:
    """Write the section of the nested page."""
    postgraphile = POSTGRAPHILE if _postgraphile(measured) else NO_POSTGRAPHILE
    return NESTED.format(
        table=_table(measured, BARE),
        postgraphile=postgraphile,
        connections=CONNECTIONS,
        ratios=_ratios(measured, BARE),
    )


def flat(measured: Results) -> str:
    """Write the section of the flat page."""
    return FLAT.format(table=_table(measured, BARE_FLAT), ratios=_ratios(measured, BARE_FLAT))


def single(measured: Mapping[str, Results], besides: Sequence[Contestant]) -> str:
    """Write the table of the other queries; beside others, with their requests/s and the ratio."""
    peaks = [found[JOBLENS].peak_memory for found in measured.values()]
    return SINGLE.format(
        names="".join(f" {each.name} | times |" for each in besides),
        columns="--:|--:|" * len(besides),
        rows="\n".join(_single(*each, besides) for each in measured.items()),
        memory=_memory(max(peaks)),
    )


def _single(name: str, found: Results, besides: Sequence[Contestant]) -> str:
    one = found[JOBLENS]
    others = "".join(
        f" {other.per_second:,.0f} | {one.per_second / other.per_second:.2f} |"
        for other in (found[each] for each in besides)
    )
    what = queries.SINGLE[name][0]
    return f"| {what} | {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.per_second:,.0f} |{others}"


def _table(measured: Results, bare: Contestant) -> str:
    rows = (
        f"| {each.name} | {one.per_second:,.0f} | {one.per_second / measured[bare].per_second:.2f} "
        f"| {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.server_cpu_ms:.2f} "
        f"| {one.database_cpu_ms:.2f} | {_memory(one.peak_memory)} |"
        for each, one in measured.items()
    )
    return CONTESTANTS.format(rows="\n".join(rows))


def _ratios(measured: Results, bare: Contestant) -> str:
    joblens = measured[JOBLENS]
    others = {
        each.name.split(":")[0]: one.per_second
        for each, one in measured.items()
        if each not in (bare, JOBLENS)
    }
    return RATIOS.format(
        of_bare=joblens.per_second / measured[bare].per_second,
        of_others="".join(
            f", {joblens.per_second / per_second:.2f} times {name}"
            for name, per_second in others.items()
        ),
        cores=os.cpu_count(),
        of_core=measured[bare].server_cpu_ms / joblens.server_cpu_ms,
    )


def _postgraphile(measured: Results) -> bool:
    return any(each.name.startswith("PostGraphile") for each in measured)


def importing(speed: ImportSpeed) -> str:
    """Write how the import went."""
    return IMPORT.format(
        jobs=speed.jobs,
        events=speed.jobs * EVENTS_PER_JOB,
        megabytes=speed.file_bytes / MEBIBYTE,
        seconds=speed.seconds,
        per_second=speed.jobs / speed.seconds,
        events_per_second=speed.jobs * EVENTS_PER_JOB / speed.seconds,
        memory=_memory(speed.peak_memory),
    )


def join(parts: Iterable[str]) -> str:
    """Put the parts together."""
    return "\n".join(parts)


def _memory(size: int) -> str:
    return f"{size / MEBIBYTE:.0f} MiB"


def commit(checkout: Path) -> str:
    """Get the commit of a checkout, and whether it has changes."""
    git = ["git", "-C", str(checkout)]
    try:
        found = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True)
        changed = subprocess.check_output(
            [*git, "status", "--porcelain", "--untracked-files=no"], text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.strip() + (" with changes" if changed else "")
