"""The clients that others use, from npm and unchanged: graphql-ws and graphql-sse in Node."""

from pathlib import Path
from typing import Any

import pytest

from tests.resolvers.live.rest import back_to_rest
from tests.support.node import run_script
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import OTHER_ORG, Service

SCRIPT = Path(__file__).parent / "node" / "clients.mjs"


async def report(service: Service, kind: str) -> Any:
    url = str(service.client.base_url.join("/graphql"))
    return await run_script(SCRIPT, kind, url, OTHER_ORG, patience_seconds=PATIENCE_SECONDS)


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
