"""Queries of ten million jobs beside the same ones of a hundred thousand.

`python -m benchmarks.scale [--data DIR] [--ledger-only]`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks.scale_ledger import DATA_DIR, ledger_at


async def _run(options: argparse.Namespace) -> None:
    print("preparing the ledger (ten minutes or so, the first time)", file=sys.stderr)
    async with ledger_at(options.data) as url:
        print(url)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=DATA_DIR, metavar="DIR", help="where the ledger is kept"
    )
    parser.add_argument("--ledger-only", action="store_true", help="only make the ledger")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
