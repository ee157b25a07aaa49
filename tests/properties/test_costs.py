"""Whatever is asked, what comes is counted right, and is no more than was announced."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given

from schema.limits.list_sizes import COUNTED
from tests.properties.test_random_queries import EVENTS, ROWS, documents
from tests.support.effort import examples
from tests.support.ledger import insert
from tests.support.service import Service, serving

WIDE = dict.fromkeys(("tokens", "root_fields", "aliases", "list_items"), "1000")


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    """A Joblens of small pages, so that deep queries stay small."""
    await insert(database_url, ROWS, EVENTS)
    given = {f"max_{name}": most for name, most in WIDE.items()} | {"max_depth": "200"}
    pages = {"page_size_default": "3", "page_size_max": "5"}
    async with serving(database_url, **pages, **given) as running:
        yield running


def type_names(value: Any) -> Iterator[str]:
    """Tell the type of each object in an answer; its query asks every one for it."""
    if isinstance(value, list):
        for item in value:
            yield from type_names(item)
    elif isinstance(value, dict):
        if "__typename" in value:
            yield value["__typename"]
        for item in value.values():
            yield from type_names(item)


@examples(150, suppress_health_check=[HealthCheck.too_slow])
@given(query=documents)
async def test_no_more_comes_than_was_announced(service: Service, query: str) -> None:
    body = (await service.post(query)).json()
    assume("data" in body)
    cost = body.get("extensions", {}).get("cost", {"requested": 0, "returned": 0})
    counted = [name for name in type_names(body["data"]) if name in COUNTED]
    assert len(counted) <= cost["returned"] <= cost["requested"]
    if "errors" not in body:
        assert len(counted) == cost["returned"]
