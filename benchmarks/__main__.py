"""The command: what is measured, for how long, and where the results go."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks import importing, observing, postgraphile, report, servers
from benchmarks.ledger import ledger
from benchmarks.profiling import profile
from benchmarks.queries import SINGLE
from benchmarks.rounds import Bench

NAMES = ("nested", "flat", *SINGLE, "import", "observing")


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    try:
        import uvloop as loop  # noqa: PLC0415 - not on Windows
    except ImportError:
        loop = asyncio
    loop.run(_run(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="how long each load of a round lasts"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often contestants take turns")
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="measure Joblens of another checkout, too, in which 'make setup' was run",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--profile", action="store_true", help="show where the nested page's time goes instead"
    )
    options = parser.parse_args()
    if not (0 < options.seconds <= 60 and 0 < options.rounds <= 100):  # noqa: PLR2004
        parser.error("--seconds must be at most 60, --rounds at most 100, and neither 0")
    return options


async def _run(options: argparse.Namespace) -> None:
    print("preparing the ledger (a minute or so, the first time)", file=sys.stderr)
    async with ledger() as url:
        if options.profile:
            await profile(url)
            return
        parts = []
        async for part in _measurements(url, options):
            print(part, flush=True)
            parts.append(part)
    if options.write:
        options.write.write_text(report.join(parts))


async def _measurements(url: str, options: argparse.Namespace) -> AsyncIterator[str]:
    wanted = options.only or NAMES
    besides = [servers.beside(each.resolve(), report.commit(each)) for each in options.beside]
    bench = Bench(
        url,
        options.rounds,
        options.seconds,
        besides,
        _postgraphile() if "nested" in wanted else None,
    )
    command = report.command("benchmarks")
    yield await report.introduction(url, command)
    if "nested" in wanted:
        yield report.nested(await bench.nested_page())
    if "flat" in wanted:
        yield report.flat(await bench.flat_page())
    if singles := [name for name in SINGLE if name in wanted]:
        yield report.single(await bench.single_queries(singles), besides)
    if "import" in wanted:
        yield report.importing(await importing.measure(url))
    if "observing" in wanted:
        yield f"## The price of being seen\n\n{await observing.section(url)}"


def _postgraphile() -> servers.Contestant | None:
    try:
        return postgraphile.install()
    except postgraphile.MissingError as missing:
        print(missing, file=sys.stderr)
        return None


main()
