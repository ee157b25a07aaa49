"""The dashboard on the demo's ledger: still, live, guarded, below a prefix, with its documents only."""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.routing import Mount

from db import embedded
from resolvers.viewer import Role
from server.app import create_app
from server.settings import Settings
from tests.e2e.conftest import DEMO_COMMAND, SERVE_COMMAND, new_data, running
from tests.e2e.dashboard.visits import visiting_dashboard
from tests.server.auth.minting import mint
from tests.support.patience import PATIENCE_SECONDS, PATIENT
from tests.support.service import running as running_app

PREFIX = "/ops/joblens"
LIVE_COMMAND = (sys.executable, "-m", "joblens", "demo")
# The demo has no job of another system.
FACTS = """mutation ($queued: DateTime!, $started: DateTime!, $ended: DateTime!) {
  recordFacts(
    source: {name: "billing", kind: "celery"}
    facts: [
      {externalId: "1", ts: $queued, type: "invoice.send", queue: "billing", status: QUEUED}
      {externalId: "1", ts: $started, status: RUNNING}
      {externalId: "1", ts: $ended, status: SUCCEEDED}
    ]
  ) { __typename }
}"""
OBJECTS = """{
  jobs(first: 1) { nodes { id type queue } }
  batches: jobs(filter: {batch: {isNull: false}}, first: 1) { nodes { batch { name } } }
  errorGroups(first: 1) { nodes { id } }
  sources { id }
}"""


def _base(graphql_url: str) -> str:
    return graphql_url.removesuffix("graphql")


@pytest.fixture(scope="session")
def still_url(demo_url: str) -> str:
    """The dashboard's URL at `joblens demo --still`, for tests that change nothing."""
    return _base(demo_url)


@pytest.fixture(scope="session")
def live_url() -> Iterator[str]:
    """The dashboard's URL at `joblens demo`, whose workers are at work."""
    with new_data() as folder, running(LIVE_COMMAND, folder) as url:
        yield _base(url)


@pytest.fixture(scope="session")
def documents_only_url(demo_url: str, demo_folder: Path) -> Iterator[str]:
    """The same ledger where only the dashboard's own documents are run, and the schema is hidden."""
    assert demo_url
    settings = {
        "JOBLENS_AUTH": "none",
        "JOBLENS_DOCUMENTS": "only",
        "JOBLENS_INTROSPECTION": "false",
    }
    with running(SERVE_COMMAND, demo_folder, **settings) as url:
        yield _base(url)


@pytest.fixture(scope="session")
async def prefixed_url(demo_url: str, demo_folder: Path) -> AsyncIterator[str]:
    """The same ledger below a prefix, in another application."""
    assert demo_url
    database_url = embedded.find(demo_folder / "data")
    assert database_url is not None
    given = PATIENT | {"database_url": database_url, "auth": "none"}
    settings = Settings.read({f"JOBLENS_{name.upper()}": value for name, value in given.items()})
    joblens = create_app(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with joblens.router.lifespan_context(joblens) as state:
            yield state or {}

    app = Starlette(routes=[Mount(PREFIX, joblens)], lifespan=lifespan)
    async with running_app(app, settings) as url:
        yield f"{url}{PREFIX}/"


@dataclass(frozen=True, slots=True)
class GuardedDashboard:
    """A dashboard that wants a token, and one of each role."""

    url: str
    tokens: Mapping[Role, str]


@pytest.fixture(scope="session")
async def by_roles() -> AsyncIterator[GuardedDashboard]:
    """A ledger of its own, which tests may change, served as it is without any setting."""
    with new_data() as folder:
        with running(DEMO_COMMAND, folder):
            database_url = embedded.find(folder / "data")
            assert database_url is not None
            tokens = {role: (await mint(database_url, role, name=role.value)).text for role in Role}
        with running(SERVE_COMMAND, folder) as url:
            yield GuardedDashboard(_base(url), tokens)


@pytest.fixture
async def page(browser: Browser, still_url: str) -> AsyncIterator[Page]:
    """A page of a first-time visitor to the still ledger; see `visiting_dashboard`."""
    async with visiting_dashboard(browser, still_url) as page:
        yield page


@pytest.fixture(scope="session")
def places(demo_url: str) -> Mapping[str, str]:
    """A path of every page, by the page's name; each of the still ledger has something to show."""
    ended = datetime.now(UTC)
    started, queued = (ended - timedelta(seconds=each) for each in (0.5, 0.9))
    times = {"queued": queued, "started": started, "ended": ended}
    _ask(demo_url, FACTS, **{name: time.isoformat() for name, time in times.items()})
    data = _ask(demo_url, OBJECTS)
    (job,), (error,) = data["jobs"]["nodes"], data["errorGroups"]["nodes"]
    (batched,) = data["batches"]["nodes"]
    return {
        "overview": "",
        "jobs": "jobs",
        "job": f"jobs/{job['id']}",
        "errors": "errors",
        "error": f"errors/{_encoded(error['id'])}",
        "queues": "queues",
        "queue": f"queues/{_encoded(job['queue'])}",
        "types": "types",
        "type": f"types/{_encoded(job['type'])}",
        "batches": "batches",
        "batch": f"batches/{_encoded(batched['batch']['name'])}",
        "sources": "sources",
        "source": f"sources/{_encoded(data['sources'][0]['id'])}",
        "activity": "activity",
        "settings": "settings",
    }


def _ask(url: str, query: str, **variables: str) -> dict[str, Any]:
    body = {"query": query, "variables": variables}
    answer: dict[str, Any] = httpx.post(url, json=body, timeout=PATIENCE_SECONDS).json()
    assert "errors" not in answer, answer["errors"]
    data: dict[str, Any] = answer["data"]
    return data


def _encoded(name: str) -> str:
    return quote(name, safe="")
