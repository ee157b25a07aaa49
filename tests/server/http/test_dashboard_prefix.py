"""The dashboard below a prefix: in another application, and behind proxies that strip it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from server.app import create_app
from server.settings import Settings
from tests.resolvers.live.clients import socket
from tests.server.http.built import LIVE, VIEWER, build, id_of
from tests.support.patience import PATIENT
from tests.support.service import Api, client_of, running

PREFIX = "/ops/joblens"
BROWSER = {"accept": "text/html"}
PATHS = ("/", "/jobs", "/jobs/1", "/types/a%2Fb", "/types/a%2F%20b%2Fc?n=%2F", "/settings")


def settings(database_url: str) -> Settings:
    given = PATIENT | {"database_url": database_url, "auth": "none"}
    return Settings.read({f"JOBLENS_{name.upper()}": value for name, value in given.items()})


def mounting(app: Starlette) -> Starlette:
    """Make another application, with Joblens below the prefix."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with app.router.lifespan_context(app) as state:
            yield dict(state or {})

    return Starlette(routes=[Mount(PREFIX, app)], lifespan=lifespan)


def proxy(base_url: str, *, decodes: bool) -> Starlette:
    """Make a proxy that strips the prefix; `decodes`: slashes in names too, as nginx may do."""

    async def forward(http: Request) -> Response:
        path = http.scope["raw_path"].decode().removeprefix(PREFIX)
        if decodes:
            path = path.replace("%2F", "/")
        async with client_of(base_url) as client:
            answer = await client.request(
                http.method,
                httpx.URL(base_url, raw_path=f"{path}?{http.url.query}".encode()),
                content=await http.body(),
                headers=[(k, v) for k, v in http.headers.items() if k != "content-length"],
            )
        headers = {k: v for k, v in answer.headers.items() if k != "content-encoding"}
        headers["content-length"] = str(len(answer.content))
        return Response(answer.content, answer.status_code, headers)

    return Starlette(routes=[Route(PREFIX + "{path:path}", forward, methods=["GET", "POST"])])


@pytest.fixture(params=["mounted", "stripped", "stripped and decoded", "with root_path"])
async def base_url(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """Where the prefix ends, as a browser knows it."""
    given = settings(database_url)
    app = create_app(given, build(tmp_path))
    if request.param == "mounted":
        async with running(mounting(app), given) as url:
            yield url + PREFIX
        return
    root_path = PREFIX if request.param == "with root_path" else ""
    decodes = request.param == "stripped and decoded"
    async with (
        running(app, given, root_path=root_path) as behind,
        running(proxy(behind, decodes=decodes), given, http="httptools", ws="none") as url,
    ):
        yield url + PREFIX


class Page(HTMLParser):
    """What a page names: its root and its files."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = ""
        self.files: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element names."""
        of = {name: value or "" for name, value in attrs}
        if of.get("name") == "joblens-root":
            self.root = of["content"]
        if tag in {"script", "link"}:
            self.files.append(of.get("src") or of["href"])


async def test_a_page_finds_its_files_and_the_api(base_url: str) -> None:
    async with client_of(base_url) as client:
        for path in PATHS:
            page = await client.get(base_url + path, headers=BROWSER)
            assert page.status_code == 200, path
            named = Page(page.text)
            assert len(named.files) == 2
            for file in named.files:
                assert (await client.get(page.url.join(file))).status_code == 200, (path, file)
            root = page.url.join(named.root)
            assert str(root) == f"{base_url}/"
            answer = await client.post(root.join("graphql"), json={"documentId": id_of(VIEWER)})
            assert answer.json()["data"] == {"viewer": {"subject": "anonymous"}}


async def test_a_slash_behind_the_path(base_url: str) -> None:
    async with client_of(base_url) as client:
        page = await client.get(f"{base_url}/jobs/?q=1", headers=BROWSER, follow_redirects=True)
        assert (page.status_code, str(page.url)) == (200, f"{base_url}/jobs?q=1")


async def test_live_updates_in_another_application(database_url: str, tmp_path: Path) -> None:
    given = settings(database_url)
    app = create_app(given, build(tmp_path))
    async with (
        running(mounting(app), given) as url,
        client_of(url) as client,
        socket(Api(client), path=f"{PREFIX}/graphql") as live,
    ):
        await live.init()
        payload = {"documentId": id_of(LIVE)}
        await live.send({"id": "1", "type": "subscribe", "payload": payload})
        assert len((await live.receive())["payload"]["data"]["statusCounts"]) == 6
