"""The results as Markdown, and what they were measured on."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks import queries
from benchmarks.importing import ImportSpeed
from benchmarks.ledger import EVENTS_PER_JOB, JOBS, connected
from benchmarks.rounds import CONNECTIONS, Measured
from benchmarks.servers import BARE, JOBLENS, TEXTBOOK

MEBIBYTE = 1024**2

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

NESTED = """\
## A page of 50 failed jobs with 8 events each

| | requests/s | of Joblens | p50 ms | p99 ms | peak memory |
|---|--:|--:|--:|--:|--:|
{rows}

*bare* is a Starlette endpoint that passes on the JSON of one hand-written statement through \
asyncpg, whatever is asked: the least that can be done. *textbook* answers the same query with \
Strawberry's defaults, SQLAlchemy's ORM objects and a DataLoader. All three give the same answer.
"""

SINGLE = """\
## Other queries

| | p50 ms | p99 ms | requests/s |
|---|--:|--:|--:|
{rows}

Peak memory of the server after all of them: {memory}.
"""

IMPORT = """\
## Import

{jobs:,} jobs with {events:,} events ({megabytes:.0f} MiB of NDJSON) into an empty database took \
{seconds:.1f} s: **{per_second:,.0f} jobs a second**, {events_per_second:,.0f} events a second. \
The importer's peak memory was {memory}.
"""


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
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres} (embedded, default settings)",
        "commit": _commit(),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in known.items())
    return f"| | |\n|---|---|\n{table}"


def nested(measured: Mapping[str, Measured]) -> str:
    """Write the contestants' table."""
    joblens = measured[JOBLENS]
    rows = (
        f"| {name} | {one.per_second:,.0f} | {one.per_second / joblens.per_second:.2f} "
        f"| {one.p50_ms:.1f} | {one.p99_ms:.1f} | {_memory(one.peak_memory)} |"
        for name, one in ((name, measured[name]) for name in (BARE, JOBLENS, TEXTBOOK))
    )
    return NESTED.format(rows="\n".join(rows))


def single(measured: Mapping[str, Measured], memory: int) -> str:
    """Write the table of the other queries."""
    rows = (
        f"| {queries.SINGLE[name][0]} "
        f"| {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.per_second:,.0f} |"
        for name, one in measured.items()
    )
    return SINGLE.format(rows="\n".join(rows), memory=_memory(memory))


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


def _commit() -> str:
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    try:
        commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True)
        changed = subprocess.check_output(
            [*git, "status", "--porcelain", "--untracked-files=no"], text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.strip() + (" with changes" if changed else "")
