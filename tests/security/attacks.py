"""Attacks on an endpoint by HTTP requests, as data: what is sent, and the answer that is due.

That is a GraphQL response where it is one that may run, else a refusal with a code.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.schema.limits import documents

MIB = 2**20


class Due(NamedTuple):
    """The answer that is due: its status, and the code of its one kind of error if it has some.

    `limit`: the one that the attack is beyond.
    """

    status: int
    code: str | None = None
    limit: str | None = None


RAN = Due(200)
NO_REQUEST = Due(400, "BAD_REQUEST")
NO_GRAPHQL = Due(400, "GRAPHQL_PARSE_FAILED")
INVALID = Due(400, "GRAPHQL_VALIDATION_FAILED")
UNNAMED = Due(400, "OPERATION_RESOLUTION_FAILURE")
COSTLY = Due(400, "COST_EXCEEDED", "cost")
NO_METHOD = Due(405, "METHOD_NOT_ALLOWED")
SLOW = Due(408, "REQUEST_TIMEOUT")
TOO_LARGE = Due(413, "PAYLOAD_TOO_LARGE")
NO_JSON = Due(415, "UNSUPPORTED_MEDIA_TYPE")
NO_HEAD = Due(431, "HEADERS_TOO_LARGE")


def beyond(limit: str) -> Due:
    return Due(400, "LIMIT_EXCEEDED", limit)


@dataclass(frozen=True)
class HttpAttack:
    """One request. `endless`: what is then sent on and on, until there is an answer."""

    name: str
    body: Callable[[], bytes]
    due: Due
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    method: str = "POST"
    query_string: Callable[[], str] = str
    chunked: bool = False
    endless: bytes = b""


def request(query: str, **others: Any) -> bytes:
    return json.dumps({"query": query, **others}).encode()


def attack(name: str, query: Callable[[], str], due: Due, **others: Any) -> HttpAttack:
    return HttpAttack(name, lambda: request(query(), **others), due)


def body(name: str, body: Callable[[], bytes], due: Due = NO_REQUEST, **others: Any) -> HttpAttack:
    return HttpAttack(name, body, due, **others)


NUMBERS = [
    body(
        "an integer of 5,000 digits",
        lambda: b'{"query":"{__typename}","variables":{"a":' + b"9" * 5_000 + b"}}",
    ),
    body(
        "an integer of 900,000 digits",
        lambda: b'{"query":"{__typename}","variables":{"a":' + b"9" * 900_000 + b"}}",
    ),
    body(
        "a float past all bounds",
        lambda: b'{"query":"{__typename}","variables":{"a":1e999999}}',
    ),
    body("NaN", lambda: b'{"query":"{__typename}","variables":{"a":NaN}}'),
    body("Infinity", lambda: b'{"query":"{__typename}","variables":{"a":-Infinity}}'),
]

BODIES = [
    *(
        body(name, lambda raw=raw: raw)
        for name, raw in {
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
        }.items()
    ),
    attack("a NUL in the document", lambda: "{ __typename \0 }", NO_GRAPHQL),
    attack("an unfinished document", lambda: "{", NO_GRAPHQL),
    attack("two operations without a name", lambda: documents.operations(2), UNNAMED),
    attack("an unknown operation", lambda: "{ __typename }", UNNAMED, operationName="B"),
    body("a batch", lambda: json.dumps([{"query": "{ __typename }"}] * 10_000).encode()),
    body("20 MiB", lambda: request("{ __typename }" + " " * 20 * MIB), TOO_LARGE),
    body(
        "20 MiB in chunks",
        lambda: request("{ __typename }" + " " * 20 * MIB),
        TOO_LARGE,
        chunked=True,
    ),
    body(
        "many keys",
        lambda: json.dumps({"query": "{a}", **{f"k{n}": n for n in range(50_000)}}).encode(),
        INVALID,
    ),
]

COMPRESSED = [
    body(
        f"a bomb in {encoding}",
        lambda: gzip.compress(request("{ __typename }" + " " * 50 * MIB)),
        NO_JSON,
        headers={"content-type": "application/json", "content-encoding": encoding},
    )
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip")
]

FORMS = [
    body(
        f"a form's {media_type or 'body without a type'}",
        lambda: request("{ __typename }"),
        NO_JSON,
        headers={"content-type": media_type} if media_type else {},
    )
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    )
]

URLS = [
    HttpAttack(name, bytes, due, {}, "GET", lambda text=text: text)
    for name, text, due in (
        ("a mutation by GET", "query=mutation%20%7B%20__typename%20%7D", NO_METHOD),
        ("no query in the URL", "", NO_REQUEST),
        (
            "variables in the URL that are no JSON",
            "query=%7B__typename%7D&variables=%7B",
            NO_REQUEST,
        ),
        (
            "variables in the URL that are a list",
            "query=%7B__typename%7D&variables=%5B%5D",
            NO_REQUEST,
        ),
        ("invalid UTF-8 in the URL", "query=%7B__typename%7D%ff%fe", NO_GRAPHQL),
        ("escapes in the URL that are none", "query=%%%zz", NO_GRAPHQL),
        ("a URL without end", "query=" + "a" * 500_000, NO_HEAD),
        ("parameters without end", "&".join(f"p{n}=1" for n in range(5_000)), NO_REQUEST),
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

REQUESTS = [*NUMBERS, *BODIES, *COMPRESSED, *FORMS, *URLS, *SLOW_ONES]
