"""Attacks on a GraphQL endpoint over WebSocket, as data: frames, and how they are to be answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.schema.limits import documents
from tests.security.attacks import (
    COSTLY,
    INVALID,
    MIB,
    NO_GRAPHQL,
    NO_REQUEST,
    RAN,
    Due,
    beyond,
)
from tests.security.queries import ALIASED, CHARACTERS, ITEMS, VALUES, doubling_fragments


@dataclass(frozen=True)
class SocketAttack:
    """Frames on a WebSocket: the code that it is closed with, or else what is answered.

    `greeted`: whether they come after a proper greeting.
    """

    name: str
    frames: Callable[[], list[str | bytes]]
    due: int | Due
    greeted: bool = True


def _subscribe(query: Any, **others: Any) -> str:
    payload = {"query": query, **others}
    return json.dumps({"id": "1", "type": "subscribe", "payload": payload})


WATCH = "subscription { statusCounts { status } }"
COMPLETE = '{"id":"1","type":"complete"}'
NO_MESSAGE = 4400
_FRAMES: dict[str, str | bytes] = {
    "no JSON": "{",
    "nothing": "",
    "null": "null",
    "a number": "1",
    "text": '"x"',
    "an array": "[]",
    "an array of messages": '[{"type":"ping"}]',
    "an empty object": "{}",
    "binary": b'{"type":"ping"}',
    "zeros": b"\0" * 1_000,
    "an unknown type": '{"type":"start"}',
    "a type that is a list": '{"type":[]}',
    "JSON, 200,000 deep": "[" * 200_000,
    "an integer of 5,000 digits": '{"type":"ping","payload":{"a":' + "9" * 5_000 + "}}",
    "half a surrogate pair": '{"type":"ping","payload":{"a":"\\ud800"}}',
    "no payload": '{"id":"1","type":"subscribe"}',
    "a query that is a number": _subscribe(1),
    "a query that is null": _subscribe(None),
    "an operation name that is a list": _subscribe("{ __typename }", operationName=[]),
    "variables that are text": _subscribe("{ __typename }", variables="{}"),
    "an id that is a number": '{"id":1,"type":"subscribe","payload":{"query":"{a}"}}',
}

SOCKET_ATTACKS = [
    *(
        SocketAttack(name, lambda frame=frame: [frame], NO_MESSAGE)
        for name, frame in _FRAMES.items()
    ),
    *(
        SocketAttack(f"{name}, at once", lambda frame=frame: [frame], NO_MESSAGE, greeted=False)
        for name, frame in _FRAMES.items()
    ),
    SocketAttack(
        "an operation before the greeting",
        lambda: [_subscribe("{a}")],
        4401,
        greeted=False,
    ),
    SocketAttack("two greetings", lambda: ['{"type":"connection_init"}'], 4429),
    SocketAttack("20 MiB", lambda: [" " * 20 * MIB], 1009),
    SocketAttack("text that is not UTF-8", lambda: [b"\xff\xfe"], 1007),
    *(
        SocketAttack(name, lambda frames=frames: frames, due)
        for name, frames, due in (
            ("aliases", [_subscribe(documents.aliases(800))], beyond("rootFields")),
            ("directives", [_subscribe(documents.directives(600))], beyond("directives")),
            ("words", [_subscribe(documents.words(10_000))], beyond("tokens")),
            ("fields, 30 deep", [_subscribe(documents.deep(30))], beyond("depth")),
            ("fields, 40,000 deep", [_subscribe("{a" * 40_000 + "}" * 40_000)], NO_GRAPHQL),
            ("a comment", [_subscribe("#" + "a" * 900_000 + "\n{a}")], CHARACTERS),
            (
                "one variable in 20 fields",
                [_subscribe(ALIASED, variables={"f": {"and": [{"or": [{}] * 160}] * 14}})],
                VALUES,
            ),
            (
                "JSON that is none",
                [_subscribe("{__typename}", variables={"a": "\ud800"})],
                NO_REQUEST,
            ),
            ("fragments that double", [_subscribe(doubling_fragments(30))], RAN),
            ("fragments that nest", [_subscribe(documents.nested(30))], beyond("depth")),
            ("a circle of fragments", [_subscribe(documents.circular(2))], INVALID),
            ("pages in nested fragments", [_subscribe(documents.nested(8))], COSTLY),
            ("ids", [_subscribe(documents.ids(2_001))], ITEMS),
            ("pings", ['{"type":"ping"}'] * 5_000, RAN),
            ("pongs", ['{"type":"pong"}'] * 5_000, RAN),
            ("completions of nothing", ['{"id":"x","type":"complete"}'] * 5_000, RAN),
            ("operations begun and completed", [_subscribe(WATCH), COMPLETE] * 500, RAN),
        )
    ),
]
