"""Submits the files named on the command line, or with none, the jobs that still wait."""

import asyncio
import sys

from examples.dramatiq_worker.worker import tasks
from joblens import dispose


async def main(paths: list[str]) -> None:
    try:
        for path in paths:
            made = await tasks.submit(path)
            print(made.job.id)
        if not paths:
            print(f"sent {await tasks.send_due()}")
    finally:
        await dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
