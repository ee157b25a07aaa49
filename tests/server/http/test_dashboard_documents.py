"""The documents that the dashboard sends are registered, in every mode, as far as it is served."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.document_rules import make_rules
from server.settings import Settings, SettingsError
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.security.entrances import logged
from tests.server.http.built import JOBS, LARGE, LIVE, VIEWER, build, digest, id_of
from tests.support.service import Service, serving

UNKNOWN = "{ viewer { orgId } }"
WHOSE = {"data": {"viewer": {"subject": "anonymous"}}}
OWN = "query Own { viewer { roles } }"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("manifests")
    # An id of its own, and a document that the dashboard has, too.
    (directory / "own.json").write_text(json.dumps({"own": OWN, "who": VIEWER}))
    return directory


@pytest.fixture(scope="module", params=["any", "prefer", "only", "closed"])
async def dashboard(
    database_url: str, built: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Service]:
    """A server in each of the modes; `closed` hides the schema, too."""
    mode = request.param
    given = {"documents": "only", "introspection": "false"} if mode == "closed" else {}
    async with serving(database_url, built, **{"documents": mode, **given}) as running:
        yield running


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_they_run_by_their_ids(dashboard: Service, entrance: Entrance) -> None:
    for named in (
        {"documentId": id_of(VIEWER)},
        {"documentId": digest(VIEWER)},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(VIEWER)}}},
        {"query": VIEWER},
    ):
        assert await entrance(dashboard, named) == WHOSE
    variables = {"documentId": id_of(JOBS), "variables": {"n": 1}}
    assert (await entrance(dashboard, variables))["data"] == {"jobs": {"nodes": []}}
    # Its size was reviewed when it was built.
    assert len((await entrance(dashboard, {"documentId": id_of(LARGE)}))["data"]) == 60
    unknown = await entrance(dashboard, {"documentId": id_of(UNKNOWN)})
    assert codes(unknown) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize("entrance", ["SSE", "WebSocket"])
async def test_subscriptions_run_by_their_ids(dashboard: Service, entrance: str) -> None:
    body = await ENTRANCES[entrance](dashboard, {"documentId": id_of(LIVE)})
    assert len(body["data"]["statusCounts"]) == 6


async def test_others_run_only_where_any_do(dashboard: Service) -> None:
    refused = codes((await dashboard.post(UNKNOWN)).json())
    only = dashboard.state.settings.documents == "only"
    assert refused == (["UNTRUSTED_DOCUMENT"] if only else [])


async def test_they_are_not_logged_as_unregistered(database_url: str, built: Path) -> None:
    async with serving(database_url, built, documents="prefer") as service:
        with logged() as log:
            for query in (VIEWER, UNKNOWN):
                assert codes((await service.post(query)).json()) == []
    (line,) = [line for line in log.lines if "unregistered document" in line]
    assert digest(UNKNOWN) in line


async def test_they_are_registered_beside_others(
    database_url: str, built: Path, manifests: Path
) -> None:
    given = {"documents": "only", "documents_dir": str(manifests)}
    async with serving(database_url, built, **given) as service:
        for id_ in ("own", "who", id_of(JOBS)):
            assert codes(await ENTRANCES["POST"](service, {"documentId": id_})) == []


async def test_without_the_dashboard_they_are_not(
    database_url: str, built: Path, manifests: Path
) -> None:
    given = {"dashboard": "false", "documents": "only", "documents_dir": str(manifests)}
    for settings in ({"dashboard": "false"}, given):
        async with serving(database_url, built, **settings) as service:
            body = await ENTRANCES["POST"](service, {"documentId": id_of(JOBS)})
            assert codes(body) == ["PERSISTED_QUERY_NOT_FOUND"]
    async with serving(database_url, built, dashboard="false") as service:
        assert codes((await service.post(LARGE)).json()) == ["LIMIT_EXCEEDED"]


async def test_their_costs_are_bounded(database_url: str, built: Path) -> None:
    async with serving(database_url, built, documents="only", max_cost="10") as service:
        request: dict[str, Any] = {"documentId": id_of(JOBS), "variables": {"n": 10}}
        assert codes(await ENTRANCES["POST"](service, request)) == []
        request["variables"]["n"] = 11
        assert codes(await ENTRANCES["POST"](service, request)) == ["COST_EXCEEDED"]


def settings(**given: str) -> Settings:
    return Settings.read({f"JOBLENS_{name.upper()}": value for name, value in given.items()})


def test_a_page_that_is_not_built_has_none(tmp_path: Path) -> None:
    rules = make_rules(settings(), tmp_path)
    assert rules.documents.mode == "any"
    # Nothing at all could be run.
    with pytest.raises(SettingsError, match=r"not built.* JOBLENS_DOCUMENTS_DIR"):
        make_rules(settings(documents="only"), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ({digest(VIEWER): UNKNOWN}, "not the hash"),
        ({digest("{"): "{"}, "not GraphQL"),
        ({id_of(VIEWER): VIEWER}, "not the hash"),
    ],
    ids=str,
)
def test_a_file_with_faults_is_named(tmp_path: Path, content: Any, words: str) -> None:
    file = build(tmp_path) / "documents.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SettingsError) as refusal:
        make_rules(settings(), tmp_path)
    for each in (str(file), words, "JOBLENS_DASHBOARD"):
        assert each in str(refusal.value)
    # It is not read where the page is not served.
    make_rules(settings(dashboard="false"), tmp_path)
