"""Bounds on what stays open: WebSockets, streams of events, subscriptions."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from server.limits.admission import anonymous_key
from tests.resolvers.live.clients import COUNTS, Socket, socket, stream
from tests.resolvers.live.rest import back_to_rest
from tests.resolvers.live.watching import until
from tests.server.load.clients import NOTHING, by_events, post
from tests.support.service import ORG, OTHER_ORG, Service, serving

THIRD_ORG = "00000000-0000-0000-0000-000000000003"
REASON = "You have as many connections at once as you may. Let one end first."


async def opened(stack: AsyncExitStack, service: Service, org: str = ORG) -> Socket:
    client = await stack.enter_async_context(socket(service, Joblens_Org=org))
    return await client.init()


@pytest.mark.parametrize("limits", [{"max_connections_per_viewer": "2"}, {"max_connections": "4"}])
async def test_one_more_of_a_viewer(database_url: str, limits: dict[str, str]) -> None:
    async with serving(database_url, **limits) as service, back_to_rest(service, database_url):
        async with AsyncExitStack() as stack:
            await opened(stack, service)
            events = await stack.enter_async_context(stream(service, COUNTS))
            assert (await events.event())[0] == "next"
            one_more = await stack.enter_async_context(socket(service))
            await one_more.send({"type": "connection_init"})
            assert await one_more.closed() == (1013, REASON)
            refused = await by_events(service, COUNTS)
            assert (refused.status, refused.codes) == (429, ["TOO_MANY_CONNECTIONS"])
            assert refused.headers is not None
            assert refused.headers["retry-after"] == "1"
            # Neither others nor single requests are concerned.
            await opened(stack, service, OTHER_ORG)
            assert (await post(service, NOTHING)).codes == []
        for _ in range(3):
            async with socket(service) as client, stream(service, COUNTS) as events:
                await client.init()
                assert (await events.event())[0] == "next"


async def test_one_more_of_all(database_url: str) -> None:
    async with serving(database_url, max_connections="2") as service:
        async with AsyncExitStack() as stack:
            await opened(stack, service)
            await opened(stack, service, OTHER_ORG)
            with pytest.raises(InvalidStatus) as refusal:
                await stack.enter_async_context(socket(service))
            response = refusal.value.response
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert b"OVERLOADED" in (response.body or b"")
            refused = await by_events(service, COUNTS)
            assert (refused.status, refused.codes) == (503, ["OVERLOADED"])
        async with socket(service) as client:
            await client.init()


async def test_those_who_do_not_say_who_they_are_leave_room(database_url: str) -> None:
    async with (
        serving(database_url, max_connections="4") as service,
        AsyncExitStack() as stack,
    ):
        silent = [await stack.enter_async_context(socket(service)) for _ in range(2)]
        assert await refusal(service) == 429
        # Others' streams still begin, and so does one of these, once it speaks.
        async with stream(service, COUNTS) as events:
            assert (await events.event())[0] == "next"
        await silent[0].init()
        await opened(stack, service, OTHER_ORG)


async def refusal(service: Service, address: str = "") -> int:
    """Get the status that a handshake is refused with."""
    with pytest.raises(InvalidStatus) as refused:
        async with socket(service, X_Forwarded_For=address):
            pass
    return refused.value.response.status_code


MAPPED = "::ffff:203.0.113.7"


@pytest.mark.parametrize(
    ("first", "same", "another"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("203.0.113.7", MAPPED, "::ffff:203.0.113.8"),
        ("203.0.113.7", "203.0.113.7:4711", "203.0.113.8:4711"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        ("2001:db8::1", "[2001:db8::ffff:ffff:ffff:ffff]:80", "2001:db8:1::1"),
        # What is left of the last one that the proxy has added, anybody could have written.
        ("203.0.113.7", "203.0.113.8, 203.0.113.7", "203.0.113.7, 203.0.113.8"),
        # Those of whom a proxy does not tell an address.
        ("unknown", "_hidden", "203.0.113.7"),
    ],
)
async def test_strangers_are_counted_by_their_address(
    database_url: str, first: str, same: str, another: str
) -> None:
    async with (
        serving(database_url, max_connections_per_viewer="2", proxies="127.0.0.1") as service,
        AsyncExitStack() as stack,
    ):
        for address in (first, same):
            await stack.enter_async_context(socket(service, X_Forwarded_For=address))
        assert await refusal(service, first) == await refusal(service, same) == 429
        client = await stack.enter_async_context(socket(service, X_Forwarded_For=another))
        await client.init()


async def test_an_address_that_no_proxy_of_ours_tells_counts_for_nothing(database_url: str) -> None:
    async with (
        serving(database_url, max_connections_per_viewer="2") as service,
        AsyncExitStack() as stack,
    ):
        for number in range(2):
            forged = socket(service, X_Forwarded_For=f"203.0.113.{number}")
            await stack.enter_async_context(forged)
        assert await refusal(service, "203.0.113.9") == 429


@pytest.mark.parametrize("client", [None, ("", 0), ("/run/joblens.sock", 0), ["x", None]])
def test_those_without_an_address_are_one(client: Any) -> None:
    assert anonymous_key(client) is None


async def test_one_subscription_more_of_a_viewer(database_url: str) -> None:
    async with (
        serving(database_url, live_max_subscriptions_per_viewer="1") as service,
        back_to_rest(service, database_url),
        socket(service) as client,
    ):
        await client.init()
        for n in range(3):
            await client.subscribe(str(n), COUNTS)
            assert (await client.receive())["type"] == "next"
            assert await client.refused("more", COUNTS) == ["TOO_MANY_SUBSCRIPTIONS"]
            refused = await by_stream(service)
            assert refused == ["TOO_MANY_SUBSCRIPTIONS"]
            async with socket(service, Joblens_Org=OTHER_ORG) as other:
                await other.init()
                await other.subscribe("1", COUNTS)
                assert (await other.receive())["type"] == "next"
            await client.send({"id": str(n), "type": "complete"})


async def test_there_are_only_so_many_subscriptions(database_url: str) -> None:
    async with (
        serving(database_url, live_max_subscriptions="2") as service,
        back_to_rest(service, database_url),
        AsyncExitStack() as stack,
    ):
        first, second, third = [
            await opened(stack, service, org) for org in (ORG, OTHER_ORG, THIRD_ORG)
        ]
        for client in (first, second):
            await client.subscribe("1", COUNTS)
            assert (await client.receive())["type"] == "next"
        assert await third.refused("1", COUNTS) == ["TOO_MANY_SUBSCRIPTIONS"]
        await first.send({"id": "1", "type": "complete"})
        await until(lambda: len(service.state.admission.subscriptions) == 1)
        await third.subscribe("1", COUNTS)
        assert (await third.receive())["type"] == "next"


async def test_a_subscription_that_cannot_begin_takes_no_place(database_url: str) -> None:
    query = 'subscription { jobEvents(after: "x") { cursor } }'
    limits = {"live_max_subscriptions_per_viewer": "1", "max_connections_per_viewer": "1"}
    async with serving(database_url, **limits) as service:
        for _ in range(3):
            assert await by_stream(service, query) == ["INVALID_CURSOR"]
        async with stream(service, COUNTS) as events:
            assert (await events.event())[0] == "next"


async def by_stream(service: Service, query: str = COUNTS) -> list[str]:
    """Get the codes of a subscription's refusal."""
    async with stream(service, query) as events:
        _, body = await events.event()
        return [error["extensions"]["code"] for error in body["errors"]]
