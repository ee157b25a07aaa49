"""`joblens serve` as a process of its own, for tests that talk to it over HTTP and WebSocket."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tests.server.cli.conftest import command
from tests.support.patience import PATIENCE_SECONDS, PATIENT

Process = asyncio.subprocess.Process
EMPTY: Mapping[str, str] = {}


@asynccontextmanager
async def command_running(
    database_url: str, *arguments: str, **settings: str
) -> AsyncIterator[tuple[Process, str]]:
    """Run `joblens serve`, on a free port unless told; get its process and its base URL.

    `settings` as in the environment, without their prefix: `live_queue_size`.
    """
    async with command_with_urls(database_url, *arguments, **settings) as (process, urls):
        yield process, urls["health"].removesuffix("/healthz")


@asynccontextmanager
async def command_with_urls(
    database_url: str,
    *arguments: str,
    program: Sequence[str] = (),
    variables: Mapping[str, str] = EMPTY,
    **settings: str,
) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    """Run it likewise; get its process, and the URLs that it shows, by their names.

    `program`: the words that run the command `joblens` otherwise. `variables` of its environment are
    added as they are.
    """
    given = {"database_url": database_url, "port": "0", "auth": "none"} | PATIENT | settings
    process = await asyncio.create_subprocess_exec(
        *(program or command()),
        "serve",
        *arguments,
        env={
            **variables,
            **{f"JOBLENS_{name.upper()}": value for name, value in given.items()},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Bytes that are taken from the pipes before they are read: full ones would stop it.
        limit=2**26,
        # A group of its own, so that none of its workers is left.
        start_new_session=True,
    )
    try:
        yield process, await _urls(process)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def _urls(process: Process) -> dict[str, str]:
    urls: dict[str, str] = {}
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in process.stdout:
                if found := re.fullmatch(rb"(\w+) +(http://\S+)\s*", line):
                    urls[found[1].decode()] = found[2].decode()
                if "health" in urls:
                    return urls
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
    _, errors = await process.communicate()
    raise AssertionError(f"it showed {urls} and wrote: {errors.decode()}")
