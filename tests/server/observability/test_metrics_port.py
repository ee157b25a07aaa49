"""The real command with a port for metrics, also with several processes, which are summed."""

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.support.background import until
from tests.support.metrics import TOKEN, Scrape
from tests.support.processes import command_with_urls
from tests.support.service import client_of

ANSWERED = "joblens_operations_total"
JOBS = {"query": "{ jobs { nodes { id } } }"}


async def scrape(url: str) -> Scrape:
    # Each on a connection of its own, which any process may accept.
    async with client_of(url) as client:
        return Scrape((await client.get(url)).text)


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("joblens-metrics-*"))


def pids(folder: Path) -> set[int]:
    """Get the processes that have gauges."""
    return {int(each.stem.rpartition("_")[2]) for each in folder.glob("gauge_*.db")}


def answered(url: str, number: int) -> Callable[[], Awaitable[bool]]:
    """Tell whether so many answers are counted: each process writes its own once a second."""

    async def are_counted() -> bool:
        return (await scrape(url)).get(ANSWERED) >= number

    return are_counted


async def ask(base: str, times: int) -> None:
    for _ in range(times):
        async with client_of(base) as client:
            assert (await client.post("/graphql", json=JOBS)).status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_of_their_own(database_url: str, workers: str) -> None:
    options = {"metrics_port": "0", "metrics_token": TOKEN}
    arguments = ("--workers", workers)
    async with command_with_urls(database_url, *arguments, **options) as (process, urls):
        base, metrics = urls["health"].removesuffix("/healthz"), urls["metrics"]
        own = metrics.removesuffix("/metrics")
        async with client_of(base) as client:
            # The address of the API has none, and that of metrics nothing else.
            assert (await client.get("/metrics")).status_code == 404
            assert (await client.get(f"{own}/healthz")).status_code == 404
            assert (await client.post(f"{own}/graphql", json=JOBS)).status_code == 404
            assert (await client.post(metrics)).status_code == 401
            client.headers["authorization"] = f"Bearer {TOKEN}"
            assert (await client.post(metrics)).status_code == 405
            found = await client.get(metrics)
            assert found.status_code == 200
            assert "joblens_processes" in found.text
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert b"Traceback" not in errors


async def test_the_processes_are_summed(database_url: str, tmp_path: Path) -> None:
    """Also over the end of one: its counts stay, its gauges go."""
    arguments = ("--workers", "2")
    async with command_with_urls(
        database_url, *arguments, variables={"TMPDIR": str(tmp_path)}, metrics_port="0"
    ) as (process, urls):
        base, metrics = urls["health"].removesuffix("/healthz"), urls["metrics"]

        async def both_are_there() -> bool:
            return (await scrape(metrics)).get("joblens_processes") == 2

        await until(both_are_there)
        await ask(base, 40)
        await until(answered(metrics, 40))
        assert [(await scrape(metrics)).get(ANSWERED) for _ in range(4)] == [40.0] * 4
        (folder,) = folders(tmp_path)
        assert folder.stat().st_mode & 0o077 == 0
        before = pids(folder)
        assert len(before) == 2
        killed = min(before)
        os.kill(killed, signal.SIGKILL)

        async def is_replaced() -> bool:
            after = pids(folder)
            return killed not in after and len(after) == 2

        await until(is_replaced)
        await until(both_are_there)
        await ask(base, 10)
        await until(answered(metrics, 50))
        assert [(await scrape(metrics)).get(ANSWERED) for _ in range(4)] == [50.0] * 4
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert not folders(tmp_path)


async def test_an_occupied_port(database_url: str) -> None:
    async with command_with_urls(database_url, metrics_port="0") as (_, urls):
        port = str(httpx.URL(urls["metrics"]).port)
        with pytest.raises(AssertionError, match="set JOBLENS_METRICS_PORT"):
            async with command_with_urls(database_url, metrics_port=port):
                pass
