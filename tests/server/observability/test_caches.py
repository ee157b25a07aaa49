"""What the metrics of a process say of its caches: how many entries, and how often one was found."""

import gc
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from db.cache_figures import CacheFigures
from schema.execution import documents
from schema.execution.documents import CACHED_DOCUMENT_CHARACTERS, plan_figures
from server.auth import token_auth
from server.observability.caches import Caches
from tests.schema.limits.entrances import ENTRANCES
from tests.schema.limits.test_trusted import hashed
from tests.server.auth.minting import mint
from tests.server.auth.provider import AUDIENCE, ISSUER, running_provider
from tests.support.metrics import TOKEN, Scrape
from tests.support.service import Service, serving

NAMES = {"credentials", "documents", "automatic_documents", "costs", "plans", "statements"}
ENTRIES, HITS, MISSES = (
    f"joblens_cache_{each}" for each in ("entries", "hits_total", "misses_total")
)


@pytest.fixture(scope="module")
async def measured(database_url: str) -> AsyncIterator[Service]:
    settings = {"metrics_token": TOKEN, "automatic_persisted_queries": "true"}
    # Nothing but what a test does is counted.
    settings |= {"tally_interval_seconds": "0", "prune_interval_seconds": "0"}
    async with serving(database_url, **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_others() -> None:
    """No document of another test is evicted or collected while one counts entries."""
    documents._read_cached.cache_clear()
    gc.collect()


async def scrape(service: Service) -> Scrape:
    headers = {"authorization": f"Bearer {TOKEN}"}
    return Scrape((await service.client.get("/metrics", headers=headers)).text)


def figures_of(found: Scrape, cache: str) -> CacheFigures:
    return CacheFigures(*(int(found.get(each, cache=cache)) for each in (ENTRIES, HITS, MISSES)))


def own(fields: str = "jobs(first: 1) { nodes { id } }") -> str:
    """Make a document that no cache has."""
    return f"query Q{uuid4().hex} {{ {fields} }}"


async def more(service: Service, before: Scrape) -> dict[str, tuple[int, int]]:
    """Get the hits and misses of each cache since then."""
    after = await scrape(service)
    return {
        name: (
            figures_of(after, name).hits - figures_of(before, name).hits,
            figures_of(after, name).misses - figures_of(before, name).misses,
        )
        for name in NAMES
    }


async def test_each_cache_is_there(measured: Service) -> None:
    found = await scrape(measured)
    for metric in (ENTRIES, HITS, MISSES):
        assert {each.labels["cache"] for each in found.samples if each.name == metric} == NAMES


async def test_a_document_is_read_priced_and_compiled_once(measured: Service) -> None:
    text = own()
    before = await scrape(measured)
    for _ in range(4):
        await measured.query(text)
    found = await more(measured, before)
    assert found["documents"] == found["costs"] == found["plans"] == (3, 1)
    assert found["statements"][0] >= 3
    # There are no credentials, and no hash was sent.
    assert found["credentials"] == found["automatic_documents"] == (0, 0)


async def test_statements_are_compiled_once(measured: Service) -> None:
    await measured.query(own())
    before = await scrape(measured)
    await measured.query(own())
    hits, misses = (await more(measured, before))["statements"]
    assert hits >= 1
    assert misses == 0


async def test_costs_and_plans_are_of_conditions(measured: Service) -> None:
    text = f"query Q{uuid4().hex}($if: Boolean!) {{ jobs(first: 1) {{ nodes {{ id @include(if: $if) status }} }} }}"
    before = await scrape(measured)
    for condition in (True, False, True):
        await measured.query(text, {"if": condition})
    found = await more(measured, before)
    assert found["documents"] == (2, 1)
    assert found["costs"] == found["plans"] == (1, 2)
    after = await scrape(measured)
    assert figures_of(after, "costs").entries - figures_of(before, "costs").entries == 2
    assert figures_of(after, "plans").entries - figures_of(before, "plans").entries == 2


async def test_what_is_too_long_is_not_kept(measured: Service) -> None:
    text = own() + " " * CACHED_DOCUMENT_CHARACTERS + "#"
    before = await scrape(measured)
    plans = plan_figures().entries
    for _ in range(2):
        await measured.query(text)
    found = await more(measured, before)
    assert found["documents"] == (0, 0)
    assert found["costs"] == found["plans"] == (0, 2)
    gc.collect()
    assert plan_figures().entries == plans


async def test_automatic_documents(measured: Service) -> None:
    text = own("viewer { subject }")
    named: Any = {"extensions": hashed(text)}
    before = await scrape(measured)
    for sent in (named, {"query": text, **named}, named, named):
        await ENTRANCES["POST"](measured, sent)
    assert (await more(measured, before))["automatic_documents"] == (2, 1)
    after = await scrape(measured)
    name = "automatic_documents"
    assert figures_of(after, name).entries - figures_of(before, name).entries == 1


async def test_tokens(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused ones are remembered too; what cannot be a token is not looked up."""
    monkeypatch.setattr(token_auth, "CACHE_SECONDS", 600.0)
    token = await mint(database_url)
    stranger = token.text[:-8] + "00000000"
    async with serving(database_url, auth="token", metrics_token=TOKEN) as service:
        for text in (token.text, stranger, "nonsense"):
            answer = await service.post(own(), authorization=f"Bearer {text}")
            assert answer.status_code == (200 if text == token.text else 401)
        assert service.state.authenticator.cache == (2, 0, 2)
        for text in (token.text, stranger) * 3:
            await service.post(own(), authorization=f"Bearer {text}")
        assert figures_of(await scrape(service), "credentials") == (2, 6, 2)


async def test_signed_tokens(database_url: str) -> None:
    with running_provider() as provider:
        settings = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks": provider.jwks_url}
        async with serving(database_url, auth="jwt", **settings) as service:
            token = provider.token()
            for _ in range(3):
                await service.post(own(), authorization=f"Bearer {token}")
            await service.post(own(), authorization=f"Bearer {token}x")
            assert service.state.authenticator.cache == (1, 2, 2)


async def test_what_was_counted_before_is_left_out(measured: Service, database_url: str) -> None:
    """Caches of the whole process are older than the metrics of an application."""
    await measured.query(own())
    assert Caches(measured.state.rules, measured.state.authenticator).figures()["plans"].misses
    async with serving(database_url, metrics_token=TOKEN) as service:
        assert figures_of(await scrape(service), "plans")[1:] == (0, 0)
