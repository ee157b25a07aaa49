"""Refused sign-ins in the audit log, by every way in; and how it tells from where they came."""

from datetime import timedelta
from typing import Any

import pytest

from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.server.audit.lines import Lines, listening
from tests.server.auth.minting import Minted, mint
from tests.support.service import OTHER_ORG, Service, serving

STRANGER = {"event": "refused", "code": "UNAUTHENTICATED", "client": "127.0.0.1"}


@pytest.mark.parametrize("bearer", [{}, {"Authorization": "Bearer jl_x"}], ids=["none", "wrong"])
async def test_over_http(service: Service, lines: Lines, bearer: dict[str, str]) -> None:
    response = await service.post("{ __typename }", **bearer)
    request_id = response.headers["x-request-id"]
    assert lines.one() == {**STRANGER, "transport": "http", "request_id": request_id}
    response = await service.client.get("/graphql", params={"query": COUNTS}, headers=bearer)
    assert lines.one()["request_id"] == response.headers["x-request-id"]
    async with stream(service, COUNTS, **bearer) as events:
        assert events.response.status_code == 401
    assert lines.one()["transport"] == "sse"


@pytest.mark.parametrize("payload", [None, {"token": "jl_x"}], ids=["none", "wrong"])
async def test_over_websocket(service: Service, lines: Lines, payload: Any) -> None:
    async with socket(service) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert (await client.closed())[0] in {4401, 4403}
    line = lines.one()
    assert line.pop("request_id")
    assert line == {**STRANGER, "transport": "websocket"}


async def test_before_signing_in(service: Service, lines: Lines) -> None:
    async with socket(service) as client:
        await client.subscribe("1", COUNTS)
        assert (await client.closed())[0] == 4401
    assert lines.one()["code"] == "UNAUTHENTICATED"


async def test_for_another_organisation(service: Service, minted: Minted, lines: Lines) -> None:
    await service.post("{ __typename }", Authorization=minted.bearer, Joblens_Org=OTHER_ORG)
    assert lines.one()["code"] == "BAD_REQUEST"
    async with socket(service) as client:
        payload = {"token": minted.text, "Joblens-Org": OTHER_ORG}
        await client.send({"type": "connection_init", "payload": payload})
        assert (await client.closed())[0] == 4403
    assert lines.one()["code"] == "BAD_REQUEST"


async def test_what_ends_because_its_token_does(
    service: Service, database_url: str, lines: Lines
) -> None:
    soon = timedelta(seconds=2)
    first = await mint(database_url, name="first", expires=soon)
    second = await mint(database_url, name="second", expires=soon)
    async with stream(service, COUNTS, Authorization=first.bearer) as events:
        async with socket(service) as client:
            await client.init({"token": second.text})
            assert (await client.closed())[0] == 4403
        while "errors" not in (await events.event())[1]:
            pass
    told = {line["transport"]: line for line in lines.take()}
    assert set(told) == {"sse", "websocket"}
    for line, minted in ((told["sse"], first), (told["websocket"], second)):
        assert (line["code"], line["token"]) == ("UNAUTHENTICATED", str(minted.id))
    assert (told["sse"]["subject"], told["websocket"]["subject"]) == ("first", "second")
    assert told["sse"]["operation"] == "subscription"


@pytest.mark.parametrize(
    ("proxies", "sent", "told"),
    [
        ("", "203.0.113.7", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.7", "127.0.0.1"),
        ("127.0.0.0/8", "203.0.113.7", "203.0.113.7"),
        # What is left of the last one that a proxy of ours has added, anybody could have written.
        ("127.0.0.1, 10.0.0.0/8", "192.0.2.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "\x9b31m nobody", None),
    ],
)
async def test_from_where(database_url: str, proxies: str, sent: str, told: str | None) -> None:
    async with serving(database_url, auth="token", proxies=proxies) as service:
        with listening() as lines:
            headers = {"x-forwarded-for": sent.encode("latin-1")}
            await service.client.get("/graphql", headers=headers)
            assert lines.take()[0].get("client") == told
            async with socket(service, X_Forwarded_For=sent) as client:
                await client.send({"type": "connection_init"})
                assert (await client.closed())[0] == 4401
            # The same source and code: within one window, it is only counted.
            service.state.audit_log.close()
            assert lines.take()[-1].get("client") == told
