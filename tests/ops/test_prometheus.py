"""A real Prometheus scrapes a real Joblens, and evaluates the alerts and the board."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ops import board
from server.observability.catalogue import METRICS
from tests.drift.test_ops import expressions, named
from tests.resolvers.live.clients import EVENTS
from tests.resolvers.live.clients import socket as live_socket
from tests.support.background import until
from tests.support.checkout import ROOT
from tests.support.processes import command_with_urls
from tests.support.service import ORG, Api, client_of

PROMETHEUS = ROOT / "ops" / "prometheus"
CREATE = 'mutation { createJob(input: {type: "t"}) { __typename } }'
# Labels of these have no value before something happens that does not happen here.
QUIET = {"joblens_mirror_lag_seconds", "joblens_mirror_held_bytes", "joblens_mirror_failing"}

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None and not os.environ.get("CI"), reason="needs prometheus"
)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules-test.yml"),
    ],
)
def test_promtool(arguments: tuple[str, ...]) -> None:
    found = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run Prometheus with the rules of ops/, which scrapes this target each second."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(PROMETHEUS / "rules.yml")]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with client_of(f"http://{address}") as client:

            async def is_ready() -> bool:
                try:
                    return (await client.get("/-/ready")).status_code == HTTPStatus.OK
                except httpx.TransportError:
                    return False

            await until(is_ready)
            yield client
    finally:
        process.kill()
        await process.wait()


async def ask(client: httpx.AsyncClient, path: str, **parameters: str) -> Any:
    answer = (await client.get(f"/api/v1/{path}", params=parameters)).json()
    assert answer["status"] == "success", answer
    return answer["data"]


async def test_what_board_and_alerts_name_is_scraped(database_url: str, tmp_path: Path) -> None:
    settings = {"metrics_port": "0", "metrics_ledger": ORG, "tally_interval_seconds": "1"}
    settings |= {"prune_interval_seconds": "1", "metrics_ledger_seconds": "1"}
    async with command_with_urls(database_url, "--workers", "2", **settings) as (_, urls):
        base = urls["health"].removesuffix("/healthz")
        target = urls["metrics"].removeprefix("http://").removesuffix("/metrics")
        async with (
            client_of(base) as client,
            live_socket(Api(client)) as live,
            prometheus(tmp_path, target) as scraped,
        ):
            await live.init()
            await live.subscribe("1", EVENTS)
            await client.post("/graphql", json={"query": CREATE})
            await client.post("/graphql", json={"query": "{ jobs { nodes { id } } }"})
            await client.post("/graphql", json={"query": "{ nothing }"})
            assert (await live.receive())["type"] == "next"
            wanted = {name for each in expressions() for name in named(each)} - QUIET

            async def all_are_there() -> bool:
                found = set(await ask(scraped, "label/__name__/values"))
                bases = {name.rsplit("_", 1)[0] for name in found if name.endswith("_bucket")}
                return wanted <= found | bases

            await until(all_are_there)
            await _evaluate(scraped)


async def _evaluate(scraped: httpx.AsyncClient) -> None:
    async def are_evaluated() -> bool:
        groups = (await ask(scraped, "rules"))["groups"]
        return all(rule["health"] == "ok" for group in groups for rule in group["rules"])

    await until(are_evaluated)
    assert not [
        alert
        for alert in (await ask(scraped, "alerts"))["alerts"]
        if alert["labels"]["alertname"] in {"JoblensDown", "JoblensInternalErrors"}
    ]
    types = await ask(scraped, "metadata")
    for name, metric in METRICS.items():
        if name in types:
            assert [each["type"] for each in types[name]] == [metric.kind], name
    lines = [line for row in board.ROWS.values() for panel in row for line in panel.lines.values()]
    for line in lines:
        expression = line.replace("$instance", ".+").replace("$__rate_interval", "1m")
        found = await ask(scraped, "query", query=expression)
        if not named(line) & QUIET:
            assert found["resultType"] == "vector"
