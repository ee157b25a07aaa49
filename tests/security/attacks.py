"""Attacks on a GraphQL endpoint, as data: what is sent, and which answers are in order.

They know nothing of the server but its URL, so any endpoint could be given. Each is answered: by a
GraphQL response where it is one that may run, else by a refusal with a code.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MIB = 2**20
RAN = frozenset({200})
REFUSED = frozenset({400, 413, 415, 422})
EITHER = RAN | REFUSED
SLOW = frozenset({408})


@dataclass(frozen=True)
class HttpAttack:
    """One request. `endless`: what is then sent on and on, until there is an answer."""

    name: str
    body: Callable[[], bytes]
    statuses: frozenset[int]
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    method: str = "POST"
    query_string: Callable[[], str] = str
    chunked: bool = False
    endless: bytes = b""


@dataclass(frozen=True)
class SocketAttack:
    """Frames on a WebSocket, and the codes that it may be closed with.

    `answered`: instead of closing, the server may answer with an error, and go on.
    """

    name: str
    frames: Callable[[], list[str | bytes]]
    closes: frozenset[int]
    greeted: bool = True
    answered: bool = False


def _request(query: str, **others: Any) -> bytes:
    return json.dumps({"query": query, **others}).encode()


def _attack(
    name: str, query: Callable[[], str], statuses: frozenset[int] = EITHER, **others: Any
) -> HttpAttack:
    return HttpAttack(name, lambda: _request(query(), **others), statuses)


def _body(name: str, body: Callable[[], bytes], **others: Any) -> HttpAttack:
    return HttpAttack(name, body, others.pop("statuses", REFUSED), **others)


def _doubling_fragments(levels: int) -> str:
    spreads = (f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {' '.join(spreads)} fragment F{levels} on Query {{ __typename }}"


def _chain_of_fragments(length: int) -> str:
    spreads = (f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(length))
    return f"{{ ...F0 }} {' '.join(spreads)} fragment F{length} on Query {{ __typename }}"


def _deep_introspection(depth: int) -> str:
    return "{ __schema { types " + "{ fields { type " * depth + "{ name }" + " } }" * depth + " } }"


FLOODS = [
    _attack("aliases", lambda: "{" + " ".join(f"a{n}: __typename" for n in range(5_000)) + "}"),
    _attack("one field again and again", lambda: "{" + " __typename" * 20_000 + "}"),
    _attack("directives", lambda: "{ __typename " + "@include(if: true) " * 5_000 + "}", REFUSED),
    _attack("unknown directives", lambda: "{ __typename " + "@x " * 20_000 + "}"),
    _attack("operations", lambda: " ".join(f"query Q{n} {{ __typename }}" for n in range(2_000))),
    _attack(
        "unknown fields", lambda: "{" + " ".join(f"x{n}" for n in range(20_000)) + "}", REFUSED
    ),
    _attack(
        "variables", lambda: "query (" + " ".join(f"$v{n}: Int" for n in range(3_000)) + ") {a}"
    ),
    _attack(
        "fragments that nobody uses", lambda: "{ __typename }" + " fragment F on Query {a}" * 2_000
    ),
    _attack("comments", lambda: "#\n" * 300_000 + "{ __typename }"),
    _attack("commas", lambda: "{ __typename }" + "," * 900_000),
    _attack("tokens", lambda: "{" * 500_000),
    _attack("a name without end", lambda: "{" + "a" * 900_000 + "}"),
    _attack("text without end", lambda: '{ __type(name: "' + "a" * 900_000 + '") { name } }'),
]

NESTS = [
    _attack("fields, 500 deep", lambda: "{a" * 500 + "}" * 500, REFUSED),
    _attack("fields, 100,000 deep", lambda: "{a" * 100_000 + "}" * 100_000, REFUSED),
    _attack("introspection, 50 deep", lambda: _deep_introspection(50)),
    _attack("inline fragments", lambda: "{" + "...{" * 5_000 + "__typename" + "}" * 5_001, EITHER),
    _attack(
        "lists in an argument",
        lambda: "{ __type(name: " + "[" * 50_000 + "]" * 50_000 + ") {name} }",
    ),
    _attack(
        "objects in an argument", lambda: "{ a(b: " + "{c:" * 50_000 + "1" + "}" * 50_000 + ") }"
    ),
    _attack(
        "types of a variable", lambda: "query ($v: " + "[" * 50_000 + "Int" + "]" * 50_000 + ") {a}"
    ),
    _attack(
        "a circle of fragments",
        lambda: "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        REFUSED,
    ),
    _attack("a fragment in itself", lambda: "{ ...A } fragment A on Query { ...A }", REFUSED),
    _attack("a chain of fragments", lambda: _chain_of_fragments(2_000)),
    # One kilobyte; visited once for each way that leads there, sixteen million times.
    _attack("fragments that double", lambda: _doubling_fragments(24)),
    _body(
        "JSON, 200,000 deep",
        lambda: (
            b'{"query":"{__typename}","variables":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
        ),
    ),
    _body("JSON objects, 100,000 deep", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
]

NUMBERS = [
    _body(
        "an integer of 5,000 digits",
        lambda: b'{"query":"{__typename}","variables":{"a":' + b"9" * 5_000 + b"}}",
    ),
    _body(
        "an integer of 900,000 digits",
        lambda: b'{"query":"{__typename}","variables":{"a":' + b"9" * 900_000 + b"}}",
    ),
    _body(
        "a float past all bounds",
        lambda: b'{"query":"{__typename}","variables":{"a":1e999999}}',
        statuses=EITHER,
    ),
    _body("NaN", lambda: b'{"query":"{__typename}","variables":{"a":NaN}}'),
    _body("Infinity", lambda: b'{"query":"{__typename}","variables":{"a":-Infinity}}'),
    _attack("digits in the document", lambda: "{ __type(name: " + "9" * 5_000 + ") { name } }"),
    _attack("an exponent in the document", lambda: "{ __type(name: 1e999999999) { name } }"),
    _attack(
        "a default of many digits", lambda: "query ($v: Int = " + "9" * 100_000 + ") { __typename }"
    ),
]

BODIES = [
    *(
        _body(name, lambda body=body: body)
        for name, body in {
            "nothing": b"",
            "half of JSON": b'{"query": "{ __typename',
            "null": b"null",
            "a number": b"1",
            "text": b'"x"',
            "true": b"true",
            "an array": b"[]",
            "an empty object": b"{}",
            "a query that is a number": b'{"query": 1}',
            "a query that is an object": b'{"query": {}}',
            "an operation name that is an array": b'{"query": "{ __typename }", "operationName": []}',
            "variables that are text": b'{"query": "{ __typename }", "variables": "{}"}',
            "extensions that are text": b'{"query": "{ __typename }", "extensions": "{}"}',
            "invalid UTF-8": b'{"query": "{ __typename } # \xff\xfe"}',
            "an overlong NUL": b'{"query": "{ __typename } # \xc0\x80"}',
            "a surrogate in UTF-8": b'{"query": "{ __typename } # \xed\xa0\x80"}',
            "half a surrogate pair": b'{"query": "{ __typename } # \\ud800"}',
            "half a pair in the operation's name": b'{"query": "{ __typename }", "operationName": "\\udc00"}',
            "half a pair in a key": b'{"query": "{ __typename }", "variables": {"\\udfff": 1}}',
            "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
            "NULs": b"\0" * 1_000,
            "a NUL in the document": b'{"query": "{ __typename \\u0000 }"}',
            "an unfinished document": b'{"query": "{"}',
            "two operations without a name": b'{"query": "query A { __typename } query B { __typename }"}',
            "an unknown operation": b'{"query": "query A { __typename }", "operationName": "B"}',
        }.items()
    ),
    _body("a batch", lambda: json.dumps([{"query": "{ __typename }"}] * 10_000).encode()),
    _body("20 MiB", lambda: _request("{ __typename }" + " " * 20 * MIB), statuses=frozenset({413})),
    _body(
        "20 MiB in chunks",
        lambda: _request("{ __typename }" + " " * 20 * MIB),
        statuses=frozenset({413}),
        chunked=True,
    ),
    _body(
        "many keys",
        lambda: json.dumps({"query": "{a}", **{f"k{n}": n for n in range(50_000)}}).encode(),
        statuses=EITHER,
    ),
]

COMPRESSED = [
    _body(
        f"a bomb in {encoding}",
        lambda: gzip.compress(_request("{ __typename }" + " " * 50 * MIB)),
        headers={"content-type": "application/json", "content-encoding": encoding},
        statuses=frozenset({413, 415}),
    )
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip")
]

FORMS = [
    _body(
        f"a form's {media_type or 'body without a type'}",
        lambda: _request("{ __typename }"),
        headers={"content-type": media_type} if media_type else {},
        statuses=frozenset({415}),
    )
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    )
]

URLS = [
    HttpAttack(name, bytes, statuses, {}, "GET", lambda text=text: text)
    for name, text, statuses in (
        ("a mutation by GET", "query=mutation%20%7B%20__typename%20%7D", frozenset({405})),
        ("no query in the URL", "", REFUSED),
        ("variables in the URL that are no JSON", "query=%7B__typename%7D&variables=%7B", REFUSED),
        (
            "variables in the URL that are a list",
            "query=%7B__typename%7D&variables=%5B%5D",
            REFUSED,
        ),
        ("invalid UTF-8 in the URL", "query=%7B__typename%7D%ff%fe", REFUSED),
        ("escapes in the URL that are none", "query=%%%zz", REFUSED),
        ("a URL without end", "query=" + "a" * 500_000, frozenset({414, 431})),
        ("parameters without end", "&".join(f"p{n}=1" for n in range(5_000)), REFUSED | {431}),
    )
]

SLOW_ONES = [
    HttpAttack(
        "a body byte by byte",
        bytes,
        SLOW,
        {"content-type": "application/json", "content-length": "100000"},
        endless=b" ",
    ),
    HttpAttack("a body chunk by chunk", bytes, SLOW, chunked=True, endless=b"1\r\n \r\n"),
    HttpAttack("headers line by line", bytes, SLOW, {}, endless=b"X-A: b\r\n"),
]

HTTP_ATTACKS = [*FLOODS, *NESTS, *NUMBERS, *BODIES, *COMPRESSED, *FORMS, *URLS, *SLOW_ONES]


def _subscribe(query: Any, **others: Any) -> str:
    payload = {"query": query, **others}
    return json.dumps({"id": "1", "type": "subscribe", "payload": payload})


NO_MESSAGE = frozenset({4400})
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
        frozenset({4401}),
        greeted=False,
    ),
    SocketAttack("two greetings", lambda: ['{"type":"connection_init"}'], frozenset({4429})),
    SocketAttack("20 MiB", lambda: [" " * 20 * MIB], frozenset({1009, 4413})),
    SocketAttack("text that is not UTF-8", lambda: [b"\xff\xfe"], frozenset({1007, 4400})),
    SocketAttack(
        "aliases",
        lambda: [_subscribe("{" + " ".join(f"x{n}: __typename" for n in range(5_000)) + "}")],
        frozenset(),
        answered=True,
    ),
    SocketAttack(
        "fields, 100,000 deep",
        lambda: [_subscribe("{a" * 100_000 + "}" * 100_000)],
        frozenset(),
        answered=True,
    ),
    SocketAttack(
        "fragments that double",
        lambda: [_subscribe(_doubling_fragments(24))],
        frozenset(),
        answered=True,
    ),
    SocketAttack(
        "a circle of fragments",
        lambda: [_subscribe("{ ...A } fragment A on Query { ...A }")],
        frozenset(),
        answered=True,
    ),
    SocketAttack("pings", lambda: ['{"type":"ping"}'] * 2_000, frozenset(), answered=True),
]
