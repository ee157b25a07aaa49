"""Messages on their way out: of any length, several at once, and on a server without our protocols."""

import json

import pytest

import tests.support.service
from tests.resolvers.live.clients import socket
from tests.support.service import Service, serving

CREATE = """mutation ($input: [CreateJobInput!]!) {
  createJobs(input: $input) { ... on CreateJobsPayload { jobs { id } } }
}"""
LATEST = "{ jobEvents(first: 1) { edges { cursor } } }"
EVENTS = "subscription ($after: String!) { jobEvents(after: $after) { node { id job { id } } } }"


@pytest.mark.parametrize("length", [125, 126, 65_535, 65_536, 900_000])
async def test_messages_of_any_length(service: Service, length: int) -> None:
    ping = {"type": "ping", "payload": {"a": ""}}
    ping["payload"]["a"] = "x" * (length - len(json.dumps(ping, separators=(",", ":"))))  # type: ignore[index]
    async with socket(service) as client:
        await client.init()
        await client.send(ping)
        assert await client.receive() == ping | {"type": "pong"}


async def check_many_events(service: Service) -> None:
    """Create many jobs in one transaction, and see that each is told."""
    await service.query(CREATE, {"input": [{"type": "first"}]})
    (latest,) = (await service.query(LATEST))["jobEvents"]["edges"]
    async with socket(service) as client:
        await client.init()
        await client.subscribe("1", EVENTS, after=latest["cursor"])
        data = await service.query(CREATE, {"input": [{"type": "many"} for _ in range(250)]})
        missing = {job["id"] for job in data["createJobs"]["jobs"]}
        while missing:
            # What was told before may come again after a resume.
            node = (await client.receive())["payload"]["data"]["jobEvents"]["node"]
            missing.discard(node["job"]["id"])


async def test_many_events_of_one_moment(service: Service) -> None:
    await check_many_events(service)


async def test_a_server_without_our_protocols(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        tests.support.service, "options", lambda _settings: {"ws": "websockets-sansio"}
    )
    async with serving(database_url) as service:
        await check_many_events(service)
