"""graphql-transport-ws, rule by rule: what is answered, and with which code what is not."""

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.resolvers.live.clients import COUNTS, socket
from tests.support.service import ORG, OTHER_ORG, Service, serving

VIEWER = "{ viewer { orgId } }"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does is worth a warning."""
    yield
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_queries_and_mutations_have_one_result(service: Service) -> None:
    async with socket(service) as client:
        assert client.connection.subprotocol == "graphql-transport-ws"
        await client.init()
        assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}
        # An id is free again once its operation has ended.
        jobs = "query ($n: Int) { jobs(first: $n) { nodes { id } } }"
        assert await client.ask("1", jobs, n=5) == {"jobs": {"nodes": []}}
        written = await client.ask("1", "mutation { __typename }")
        assert written == {"__typename": "Mutation"}


async def test_a_subscription_goes_on_until_it_is_completed(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        for _ in range(3):
            await client.subscribe("counts", COUNTS)
            first = await client.receive()
            assert (first["id"], first["type"]) == ("counts", "next")
            assert isinstance(first["payload"]["data"]["statusCounts"], list)
            await client.send({"id": "counts", "type": "complete"})
        assert await client.ask("counts", "{ __typename }") == {"__typename": "Query"}


async def test_an_operation_name_is_heeded(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        query = "query A { a: __typename } query B { b: __typename }"
        payload = {"query": query, "operationName": "B", "variables": None, "extensions": {"x": 1}}
        await client.send({"id": "1", "type": "subscribe", "payload": payload})
        assert (await client.receive())["payload"] == {"data": {"b": "Query"}}


async def test_what_cannot_run_is_an_error_of_its_operation(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        assert await client.refused("1", "{") == ["GRAPHQL_PARSE_FAILED"]
        assert await client.refused("1", "") == ["BAD_REQUEST"]
        assert await client.refused("1", "{ a b }") == ["GRAPHQL_VALIDATION_FAILED"] * 2
        two = "query A { __typename } query B { __typename }"
        assert await client.refused("1", two) == ["OPERATION_RESOLUTION_FAILURE"]
        number = "query ($n: Int) { jobs(first: $n) { nodes { id } } }"
        assert await client.refused("1", number, n="x") == ["BAD_USER_INPUT"]
        assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}


async def test_a_subscription_that_cannot_run(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        events = 'subscription { jobEvents(after: "garbled") { cursor } }'
        assert await client.refused("1", events) == ["INVALID_CURSOR"]


async def test_errors_beside_data_are_a_result(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        query = '{ good: __typename jobs(after: "garbled") { nodes { id } } }'
        await client.subscribe("1", query)
        answer = await client.receive()
        assert answer["type"] == "next"
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
        assert await client.receive() == {"id": "1", "type": "complete"}


async def test_many_operations_share_a_socket(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        ids = {f"query {n}" for n in range(50)}
        for id_ in ids:
            await client.subscribe(id_, "{ jobs { nodes { id } } }")
        messages = [await client.receive() for _ in range(2 * len(ids))]
        for id_ in ids:
            assert [m["type"] for m in messages if m["id"] == id_] == ["next", "complete"]


@pytest.mark.parametrize("payload", [None, {}, {"Other": 1}])
async def test_init_with_any_object_or_none(service: Service, payload: Any) -> None:
    async with socket(service) as client:
        await client.init(payload)
    async with socket(service) as client:
        await client.send({"type": "connection_init"})
        assert await client.receive() == {"type": "connection_ack"}


async def test_pings_are_answered_at_any_time(service: Service) -> None:
    async with socket(service) as client:
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        await client.init()
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.receive() == {"type": "pong", "payload": {"n": 1}}
        await client.send({"type": "pong"})
        await client.send({"type": "pong", "payload": {}})
        await client.send({"id": "unknown", "type": "complete"})
        assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}


@pytest.mark.parametrize("subprotocol", [None, "graphql-ws", "chat"])
async def test_the_subprotocol_is_required(service: Service, subprotocol: str | None) -> None:
    async with socket(service, subprotocol=subprotocol) as client:
        assert (await client.closed())[0] == 4406


async def test_who_says_nothing_is_closed(database_url: str) -> None:
    async with (
        serving(database_url, websocket_init_timeout_seconds="1") as service,
        socket(service) as client,
    ):
        assert (await client.closed())[0] == 4408
        async with socket(service) as other:
            await other.init()
            await other.subscribe("1", COUNTS)
            # This client has been heard: it may be silent from now on.
            assert (await other.receive())["type"] == "next"


async def test_who_only_pings_is_closed(database_url: str) -> None:
    async with (
        serving(database_url, websocket_init_timeout_seconds="1") as service,
        socket(service) as client,
    ):
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_two_inits_in_one_breath(service: Service) -> None:
    async with socket(service) as client:
        for _ in range(2):
            await client.send({"type": "connection_init"})
        assert await client.receive() == {"type": "connection_ack"}
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_what_a_message_has_besides_is_ignored(service: Service) -> None:
    async with socket(service) as client:
        await client.send({"type": "connection_init", "id": 1, "more": []})
        assert await client.receive() == {"type": "connection_ack"}
        payload = {"query": "{ __typename }", "more": 1}
        await client.send({"id": "1", "type": "subscribe", "payload": payload, "more": {}})
        assert (await client.receive())["payload"] == {"data": {"__typename": "Query"}}
        assert await client.receive() == {"id": "1", "type": "complete"}


async def test_an_error_is_the_last_of_its_operation(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        assert await client.refused("1", "{ nothing }") == ["GRAPHQL_VALIDATION_FAILED"]
        # Else its 'complete' would come before this.
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_a_second_init(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        await client.send({"type": "connection_init"})
        assert (await client.closed())[0] == 4429


async def test_subscribing_before_init(service: Service) -> None:
    async with socket(service) as client:
        await client.subscribe("1", "{ __typename }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_an_id_in_use(service: Service) -> None:
    long = "ü" * 100
    async with socket(service) as client:
        await client.init()
        await client.subscribe(long, COUNTS)
        assert (await client.receive())["id"] == long
        await client.subscribe(long, "{ __typename }")
        code, reason = await client.closed()
        assert code == 4409
        assert len(reason.encode()) <= 123


async def test_a_connection_runs_so_many_operations(database_url: str) -> None:
    async with (
        serving(database_url, websocket_max_operations="2") as service,
        socket(service) as client,
    ):
        await client.init()
        for id_ in ("1", "2"):
            await client.subscribe(id_, COUNTS)
            assert (await client.receive())["id"] == id_
        assert await client.refused("3", "{ __typename }") == ["TOO_MANY_OPERATIONS"]
        await client.send({"id": "1", "type": "complete"})
        assert await client.ask("3", "{ __typename }") == {"__typename": "Query"}


async def test_the_organisation_of_a_connection(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        assert await client.ask("1", VIEWER) == {"viewer": {"orgId": ORG}}
    for name in ("Joblens-Org", "joblens-org"):
        async with socket(service) as client:
            await client.init({name: OTHER_ORG})
            assert await client.ask("1", VIEWER) == {"viewer": {"orgId": OTHER_ORG}}
    async with socket(service, Joblens_Org=OTHER_ORG) as client:
        await client.init()
        assert await client.ask("1", VIEWER) == {"viewer": {"orgId": OTHER_ORG}}
    # What the client itself says of this connection goes before what its surroundings added.
    async with socket(service, Joblens_Org=OTHER_ORG) as client:
        await client.init({"Joblens-Org": ORG})
        assert await client.ask("1", VIEWER) == {"viewer": {"orgId": ORG}}


@pytest.mark.parametrize("org", ["x", "", 1, [], {}])
async def test_a_malformed_organisation(service: Service, org: Any) -> None:
    async with socket(service) as client:
        await client.send({"type": "connection_init", "payload": {"Joblens-Org": org}})
        assert await client.closed() == (4403, "Joblens-Org must be a UUID.")
    async with socket(service, Joblens_Org="x") as client:
        await client.send({"type": "connection_init"})
        assert await client.closed() == (4403, "Joblens-Org must be a UUID.")


async def test_pages_of_other_sites_are_refused(service: Service) -> None:
    url = service.client.base_url
    async with socket(service, origin=f"http://{url.host}:{url.port}") as client:
        await client.init()
    for origin in ("http://example.org", f"http://{url.host}", "null"):
        with pytest.raises(InvalidStatus) as refusal:
            async with socket(service, origin=origin):
                pass
        assert refusal.value.response.status_code == 403


async def test_request_ids(service: Service) -> None:
    async with socket(service, X_Request_Id="abc-123") as client:
        assert client.connection.response is not None
        assert client.connection.response.headers["x-request-id"] == "abc-123"
