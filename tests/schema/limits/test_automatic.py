"""Automatic persisted queries: registered by their clients, in Apollo's words."""

from collections.abc import AsyncIterator

import pytest

from schema.execution.persisted_documents import AutomaticDocuments
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.schema.limits.test_trusted import hashed
from tests.support.service import Service, serving

ANSWER = {"data": {"viewer": {"subject": "anonymous"}}}


@pytest.fixture(scope="module")
async def automatic(database_url: str) -> AsyncIterator[Service]:
    given = {"automatic_persisted_queries": "true", "automatic_persisted_queries_bytes": "1024"}
    async with serving(database_url, **given) as running:
        yield running


@pytest.mark.parametrize("name", ENTRANCES)
async def test_a_text_is_sent_once(automatic: Service, name: str) -> None:
    entrance: Entrance = ENTRANCES[name]
    text = f"query {name} {{ viewer {{ subject }} }}"
    named = {"extensions": hashed(text)}
    missing = await entrance(automatic, named)
    assert missing["errors"] == [
        {
            "message": "PersistedQueryNotFound",
            "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
        }
    ]
    assert await entrance(automatic, {"query": text, **named}) == ANSWER
    assert await entrance(automatic, named) == ANSWER


async def test_the_hash_must_be_that_of_the_text(automatic: Service) -> None:
    request = {"query": "{ viewer { subject } }", "extensions": hashed("{ __typename }")}
    assert codes(await ENTRANCES["POST"](automatic, request)) == ["BAD_REQUEST"]
    assert codes(await ENTRANCES["POST"](automatic, {"extensions": hashed("{ __typename }")})) == [
        "PERSISTED_QUERY_NOT_FOUND"
    ]


async def test_what_cannot_run_is_not_kept(automatic: Service) -> None:
    for text in (
        "{",
        "{ nothing }",
        "{ jobs(first: 200) { nodes { events(first: 200) { nodes { id } } } } }",
    ):
        assert codes(
            await ENTRANCES["POST"](automatic, {"query": text, "extensions": hashed(text)})
        )
        named = {"extensions": hashed(text)}
        assert codes(await ENTRANCES["POST"](automatic, named)) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_what_is_too_long_is_not_even_hashed(automatic: Service) -> None:
    text = "{ viewer { subject } } # " + "x" * 200_000
    for claimed in (hashed(text), hashed("{ __typename }")):
        refused = await ENTRANCES["POST"](automatic, {"query": text, "extensions": claimed})
        assert refused["errors"][0]["extensions"]["limit"] == "documentCharacters"
    named = {"extensions": hashed(text)}
    assert codes(await ENTRANCES["POST"](automatic, named)) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_it_is_off_at_first(service: Service) -> None:
    text = "{ viewer { subject } }"
    named = {"extensions": hashed(text)}
    assert await ENTRANCES["POST"](service, {"query": text, **named}) == ANSWER
    refused = await ENTRANCES["POST"](service, named)
    assert refused["errors"][0]["message"] == "PersistedQueryNotSupported"
    assert codes(refused) == ["PERSISTED_QUERY_NOT_SUPPORTED"]


def test_the_least_recently_used_give_way() -> None:
    documents = AutomaticDocuments(max_bytes=10)
    documents.keep("a", "aaaa")
    documents.keep("b", "bbbb")
    assert documents.get("a") == "aaaa"
    documents.keep("c", "éé")
    assert [documents.get(name) for name in "abc"] == ["aaaa", None, "éé"]
    assert documents._texts.currsize == 8
    documents.keep("d", "d" * 11)
    assert documents.get("d") is None
    assert documents.get("a") == "aaaa"
