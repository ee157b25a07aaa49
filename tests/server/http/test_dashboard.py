"""The dashboard's pages: at which paths, for whom, and with which headers."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.server.http.built import FONT, SCRIPT, build
from tests.support.service import Service, serving

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
LISTS = (
    "/jobs",
    "/errors",
    "/queues",
    "/types",
    "/batches",
    "/sources",
    "/activity",
    "/settings",
)
DETAILS = (
    "/jobs/0198c2f0-0000-7000-8000-000000000001",
    "/errors/SMTP_TIMEOUT",
    "/queues/mail",
    "/types/email.send",
    "/types/a%2Fb",
    "/types/a%2F%2F",
    "/queues/%25%3F%23%20%C3%BC",
    "/batches/2026-11",
    "/sources/0198c2f0-0000-7000-8000-000000000002",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
async def dashboard(database_url: str, built: Path) -> AsyncIterator[Service]:
    async with serving(database_url, built) as running:
        yield running


def is_page(response: httpx.Response) -> bool:
    if response.status_code == 200:
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        return "Ünder test" in response.text
    return False


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize("path", ["/", *LISTS, *DETAILS])
async def test_a_page_and_its_root(dashboard: Service, path: str) -> None:
    page = await dashboard.client.get(f"{path}?status=FAILED", headers=BROWSER)
    assert is_page(page)
    root = "../" if path in DETAILS else "./"
    assert f'<meta name="joblens-root" content="{root}">' in page.text
    assert f'src="{root}assets/dashboard/{SCRIPT}"' in page.text
    assert page.text.count(f'"{root}assets/') == 2
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["vary"] == "Accept"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-request-id"]
    # Where a browser then is led to.
    assert str(page.url.join(root).join("graphql").path) == "/graphql"


@pytest.mark.parametrize("path", ["/", "/jobs", "/types/a%2Fb"])
async def test_head(dashboard: Service, path: str) -> None:
    page = await dashboard.client.get(path, headers=BROWSER)
    head = await dashboard.client.head(path, headers=BROWSER)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "content-security-policy", "vary"):
        assert head.headers[name] == page.headers[name]


@pytest.mark.parametrize("accept", ["*/*", "text/*", "text/html;q=0.1, application/json", ""])
async def test_whoever_accepts_html_gets_it(dashboard: Service, accept: str) -> None:
    assert is_page(await dashboard.client.get("/jobs", headers={"accept": accept}))


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", "text/html;q=0, */*"]
)
@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/1", "/jobs/", "/types/a/"])
async def test_others_get_json(dashboard: Service, accept: str, path: str) -> None:
    response = await dashboard.client.get(path, headers={"accept": accept})
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert "/graphql" in response.text


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/1", "/types/a%2Fb"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods(dashboard: Service, path: str, method: str) -> None:
    response = await dashboard.client.request(method, path, headers=BROWSER)
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/index.html",
        "/documents.json",
        "/jobs/1/events",
        "/settings/x",
        "/activity/x",
        "/assets/dashboard",
        "/assets/dashboard/",
        "/assets/dashboard/none.js",
        "/assets/dashboard/%2E%2E/%2E%2E/documents.json",
        "/assets/dashboard/..%2F..%2Fdocuments.json",
        "/assets/dashboard/%00",
    ],
)
async def test_there_is_nothing_else(dashboard: Service, path: str) -> None:
    response = await dashboard.client.get(path, headers=BROWSER)
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "location", "leads_to"),
    [
        ("/jobs/", "../jobs", "/jobs"),
        ("/types/?q=a%26b", "../types?q=a%26b", "/types?q=a%26b"),
        ("/jobs/1/", "../1", "/jobs/1"),
        ("/types/a%2Fb/?x=1", "../a%2Fb?x=1", "/types/a%2Fb?x=1"),
        ("/types/%2F%2Fevil.example/", "../%2F%2Fevil.example", "/types/%2F%2Fevil.example"),
    ],
)
async def test_a_slash_behind_the_path(
    dashboard: Service, path: str, location: str, leads_to: str
) -> None:
    response = await dashboard.client.get(path, headers=BROWSER)
    assert (response.status_code, response.headers["location"]) == (308, location)
    followed = await dashboard.client.get(path, headers=BROWSER, follow_redirects=True)
    assert is_page(followed)
    assert followed.url.raw_path.decode() == leads_to


async def test_what_a_script_is_served_with(dashboard: Service) -> None:
    path = f"/assets/dashboard/{SCRIPT}"
    packed = await dashboard.client.get(path, headers={"accept-encoding": "gzip, br"})
    plain = await dashboard.client.get(path, headers={"accept-encoding": "identity"})
    assert packed.content == plain.content == b"// a script\n" * 1_000
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 200
    assert "content-encoding" not in plain.headers
    for response in (packed, plain):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["vary"] == "Accept-Encoding"
        again = {"if-none-match": response.headers["etag"], "accept-encoding": "gzip"}
        assert (await dashboard.client.get(path, headers=again)).status_code == 304
    head = await dashboard.client.head(path, headers={"accept-encoding": "gzip"})
    assert head.headers["content-length"] == packed.headers["content-length"]
    refused = await dashboard.client.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_fonts_are_compressed_already(dashboard: Service) -> None:
    font = await dashboard.client.get(
        f"/assets/dashboard/{FONT}", headers={"accept-encoding": "gzip"}
    )
    assert font.headers["content-type"] == "font/woff2"
    assert "content-encoding" not in font.headers
    assert "immutable" in font.headers["cache-control"]


async def test_a_page_that_is_built_again_has_its_new_files(
    database_url: str, tmp_path: Path
) -> None:
    script = build(tmp_path) / "assets" / "dashboard" / SCRIPT
    async with serving(database_url, tmp_path) as service:
        old = await service.client.get(f"/assets/dashboard/{SCRIPT}")
        script.write_text("// another\n")
        new = await service.client.get(f"/assets/dashboard/{SCRIPT}")
    assert (old.text[:11], new.text) == ("// a script", "// another\n")


@pytest.mark.parametrize(
    ("settings", "auth", "graphiql"),
    [
        ({}, "none", "true"),
        ({"auth": "token"}, "token", "true"),
        ({"graphiql": "false"}, "none", "false"),
        ({"documents": "only"}, "none", "false"),
        ({"documents": "prefer"}, "none", "true"),
    ],
    ids=str,
)
async def test_what_the_page_is_given(
    database_url: str, built: Path, settings: dict[str, str], auth: str, graphiql: str
) -> None:
    async with serving(database_url, built, **settings) as service:
        for path in ("/", "/jobs/1"):
            page = await service.client.get(path, headers=BROWSER)
            assert f'<meta name="joblens-auth" content="{auth}">' in page.text
            assert f'<meta name="joblens-graphiql" content="{graphiql}">' in page.text


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/1"])
async def test_a_page_that_is_not_built(database_url: str, tmp_path: Path, path: str) -> None:
    async with serving(database_url, tmp_path / "none") as service:
        page = await service.client.get(path, headers=BROWSER)
        asset = await service.client.get(f"/assets/dashboard/{SCRIPT}")
    assert (page.status_code, code(page)) == (404, "NOT_FOUND")
    assert "make setup" in page.text
    assert asset.status_code == 404


async def test_without_it_the_root_leads_to_graphiql(database_url: str, built: Path) -> None:
    async with serving(database_url, built, dashboard="false") as service:
        home = await service.client.get("/", headers=BROWSER)
        assert (home.status_code, home.headers["location"]) == (307, "graphql")
        for path in (*LISTS, *DETAILS, f"/assets/dashboard/{SCRIPT}"):
            response = await service.client.get(path, headers=BROWSER)
            assert (response.status_code, code(response)) == (404, "NOT_FOUND")


async def test_it_needs_no_graphiql(database_url: str, built: Path) -> None:
    async with serving(database_url, built, graphiql="false") as service:
        assert is_page(await service.client.get("/", headers=BROWSER))
        asset = await service.client.get(f"/assets/dashboard/{SCRIPT}")
        assert asset.status_code == 200
    async with serving(database_url, built, graphiql="false", dashboard="false") as service:
        assert (await service.client.get("/", headers=BROWSER)).status_code == 404


async def test_a_foreign_host_gets_no_page(dashboard: Service) -> None:
    response = await dashboard.client.get("/", headers=BROWSER | {"host": "evil.example"})
    assert (response.status_code, code(response)) == (421, "HOST_NOT_ALLOWED")


async def test_a_link_from_elsewhere_leads_to_the_page(dashboard: Service) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert is_page(await dashboard.client.get("/jobs/1", headers=BROWSER | link))
