"""Frames that are no message of graphql-transport-ws: each closes the connection with a reason."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.resolvers.live.clients import COUNTS, socket
from tests.support.service import Service


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does is worth a warning."""
    yield
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def subscribe(**payload: Any) -> dict[str, Any]:
    return {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"} | payload}


NO_MESSAGES: dict[str, Any] = {
    "a number": "1",
    "text": '"x"',
    "null": "null",
    "an array": "[]",
    "an empty object": "{}",
    "no JSON": "{",
    "nothing": "",
    "binary": json.dumps({"type": "ping"}).encode(),
    "deep": "[" * 100_000,
    "a long number": '{"type": "ping", "payload": {"a": ' + "9" * 5_000 + "}}",
    "a lone surrogate": '{"type": "ping", "payload": {"a": "\\ud800"}}',
    "half a pair in what is named variables": r'{"type": "ping", "payload": {"variables": "\ud800"}}',
    "a deep ping": '{"type": "ping", "payload": {"a": ' + "[" * 500 + "]" * 500 + "}}",
    "a type that is unknown": {"type": "start"},
    "a type of the server's": {"type": "next", "id": "1", "payload": {}},
    "a type that is a number": {"type": 1},
    "a type that is an array": {"type": ["ping"]},
    "an init with text": {"type": "connection_init", "payload": "x"},
    "a ping with a number": {"type": "ping", "payload": 1},
    "a pong with an array": {"type": "pong", "payload": []},
    "a complete without id": {"type": "complete"},
    "a complete with a number": {"type": "complete", "id": 1},
    "no id": {"type": "subscribe", "payload": {"query": "{ __typename }"}},
    "an empty id": subscribe() | {"id": ""},
    "an id that is null": subscribe() | {"id": None},
    "an id that is a number": subscribe() | {"id": 1},
    "an id that is long": subscribe() | {"id": "1" * 256},
    "an id that is half a pair": '{"id": "\\ud800", "type": "subscribe", "payload": {"query": "{a}"}}',
    "half of a message": '{"id": "1", "type": "subscribe", "payload": {"query": "{a}", "variables": {',
    "a completion with half a pair": '{"id": "1", "type": "complete", "x": "\\ud800"}',
    "no payload": {"type": "subscribe", "id": "1"},
    "a payload that is null": {"type": "subscribe", "id": "1", "payload": None},
    "a payload that is text": {"type": "subscribe", "id": "1", "payload": "{ __typename }"},
    "no query": {"type": "subscribe", "id": "1", "payload": {}},
    "a query that is a number": subscribe(query=1),
    "a query that is null": subscribe(query=None),
    "variables that are text": subscribe(variables="{}"),
    "an operation name that is an array": subscribe(operationName=[]),
    "extensions that are a number": subscribe(extensions=1),
}


@pytest.mark.parametrize("name", NO_MESSAGES)
@pytest.mark.parametrize("acknowledged", [True, False])
async def test_frames_that_are_no_message(service: Service, name: str, acknowledged: bool) -> None:
    async with socket(service) as client:
        if acknowledged:
            await client.init()
        await client.send(NO_MESSAGES[name])
        code, reason = await client.closed()
        assert code == 4400
        assert 0 < len(reason.encode()) <= 123


@pytest.mark.parametrize("number", ["1.10", "1.0", "12345678901234567890", "0.1234567890123456789"])
async def test_a_pong_repeats_each_digit(service: Service, number: str) -> None:
    async with socket(service) as client:
        await client.init()
        await client.send(f'{{"type": "ping", "payload": {{"n": {number}}}}}')
        assert f'"n":{number}}}' in await client.connection.recv()


UNREADABLE = {
    "half a pair": r'"\ud800"',
    "the other half": r'"a\udc00b"',
    "half a pair in a key": r'{"\ud83d": 1}',
    "1e400": "1e400",
    "a long number": "9" * 5_000,
    "past 64 bits": "-9223372036854775809",
    "NaN": "NaN",
    "infinity": "[-Infinity]",
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_an_operation_is_given_concerns_it_alone(service: Service, name: str) -> None:
    query = "query ($v: JSON) { jobs(filter: {payloadContains: $v}) { __typename } }"
    payload = {"query": query, "variables": {"v": "value"}}
    first = {"id": "1", "type": "subscribe", "payload": payload}
    last = {"payload": payload, "type": "subscribe", "id": "2"}
    async with socket(service) as client:
        await client.init()
        await client.subscribe("other", COUNTS)
        assert (await client.receive())["type"] == "next"
        for message in (first, last):
            id_ = str(message["id"])
            await client.send(json.dumps(message).replace('"value"', UNREADABLE[name]))
            answer = await client.receive()
            assert answer["id"] == id_
            errors = answer["payload"]
            if answer["type"] == "next":
                errors = answer["payload"]["errors"]
                assert await client.receive() == {"id": id_, "type": "complete"}
            codes = {each["extensions"]["code"] for each in errors}
            assert codes <= {"BAD_REQUEST", "BAD_USER_INPUT"}
            assert codes
            # The id is free again.
            assert await client.ask(id_, "{ __typename }") == {"__typename": "Query"}


async def test_a_slash_behind_the_path(service: Service) -> None:
    async with socket(service, path="/graphql/") as client:
        await client.init()
        assert await client.ask("1", "{ __typename }") == {"__typename": "Query"}


async def test_text_that_is_not_utf_8(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        await client.connection.send(b"\xff", text=True)
        assert (await client.closed())[0] == 1007


async def test_messages_have_a_largest_size(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        fits = "{ __typename }" + " " * 1_000_000
        assert await client.ask("1", fits) == {"__typename": "Query"}
        await client.subscribe("2", "{ __typename }" + " " * 1_048_576)
        assert (await client.closed())[0] == 1009


@pytest.mark.parametrize("fragments", [1, 5, 500])
async def test_a_client_that_still_sends_hears_that_it_is_too_much(
    service: Service, fragments: int
) -> None:
    async with socket(service) as client:
        await client.init()
        with suppress(ConnectionClosed):
            await client.connection.send(["x" * (5_000_000 // fragments)] * fragments)
        assert (await client.closed())[0] == 1009
