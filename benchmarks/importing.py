"""Import speed: 50,000 of the ledger's own records into an empty database, by a fresh process."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from benchmarks.ledger import DATA_DIR, ORG, empty_database
from benchmarks.processes import peak_memory
from db.transfer import export_records, import_records

RECORDS = 50_000
FILE = DATA_DIR / "import.ndjson"


@dataclass(frozen=True, slots=True)
class ImportSpeed:
    """How an import went. `peak_memory` in bytes."""

    jobs: int
    file_bytes: int
    seconds: float
    peak_memory: int


async def measure(url: str) -> ImportSpeed:
    """Import into a new database beside that of `url`, which is dropped afterwards."""
    if not FILE.exists():
        await _write_records(url)
    async with empty_database(url) as fresh:
        command = [sys.executable, "-m", "benchmarks.importing", fresh]
        done = await asyncio.to_thread(
            subprocess.run, command, check=True, capture_output=True, text=True
        )
    seconds, memory = done.stdout.split()
    return ImportSpeed(RECORDS, FILE.stat().st_size, float(seconds), int(memory))


async def _write_records(url: str) -> None:
    unfinished = FILE.with_suffix(".new")
    with unfinished.open("wb") as output:
        async for line in _first(export_records(url, ORG)):
            output.write(line)
    unfinished.replace(FILE)


async def _first(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    number = 0
    async for line in lines:
        yield line
        number += 1
        if number == RECORDS:
            return


async def _import(url: str) -> None:
    with FILE.open("rb") as lines:
        started = time.perf_counter()
        report = await import_records(url, ORG, lines)
    assert report.imported == RECORDS, report
    sys.stdout.write(f"{time.perf_counter() - started} {peak_memory(os.getpid())}\n")


if __name__ == "__main__":
    asyncio.run(_import(sys.argv[1]))
