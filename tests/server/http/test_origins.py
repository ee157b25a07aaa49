"""Who may call: under which host name, and from pages of which origins."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from server.settings import Settings, SettingsError
from tests.resolvers.live.clients import socket
from tests.support.service import Service, serving

DASHBOARD = "https://dashboard.example"
SECOND = "http://localhost:3000"
TYPENAME = {"query": "{ __typename }"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
async def open_to_pages(database_url: str) -> AsyncIterator[Service]:
    """A server with a dashboard elsewhere, reached by a name of its own."""
    async with serving(
        database_url, cors_origins=f"{DASHBOARD}, {SECOND}", hosts="jobs.example, jobs.internal"
    ) as running:
        yield running


def refused(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"] == code
    assert response.headers["x-request-id"]


def own_origin(service: Service) -> str:
    url = service.client.base_url
    return f"{url.scheme}://{url.host}:{url.port}"


FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://["},
    {"origin": ""},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_pages_of_other_origins_are_refused(service: Service, headers: Any) -> None:
    post = await service.client.post("/graphql", json=TYPENAME, headers=headers)
    refused(post, 403, "ORIGIN_NOT_ALLOWED")
    refused(
        await service.client.get("/graphql", params=TYPENAME, headers=headers),
        403,
        "ORIGIN_NOT_ALLOWED",
    )
    events = headers | {"accept": "text/event-stream"}
    refused(
        await service.client.post("/graphql", json=TYPENAME, headers=events),
        403,
        "ORIGIN_NOT_ALLOWED",
    )
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    with pytest.raises(InvalidStatus) as refusal:
        async with socket(service, **named):
            pass
    response = refusal.value.response
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert b'"ORIGIN_NOT_ALLOWED"' in (response.body or b"")


async def test_our_own_page_may_ask(service: Service) -> None:
    origin = own_origin(service)
    for headers in (
        {"origin": origin},
        {"origin": origin, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        # A proxy has changed the host: the browser knows better.
        {"origin": "https://proxy.example", "sec-fetch-site": "same-origin"},
        {},
    ):
        response = await service.client.post("/graphql", json=TYPENAME, headers=headers)
        assert response.status_code == 200, headers
        assert "access-control-allow-origin" not in response.headers


async def test_a_link_from_elsewhere_leads_to_the_page(service: Service) -> None:
    headers = BROWSER | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    page = await service.client.get("/graphql", params=TYPENAME, headers=headers)
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_without_origins_there_is_no_cors(service: Service) -> None:
    headers = {"origin": DASHBOARD, "access-control-request-method": "POST"}
    refused(await service.client.options("/graphql", headers=headers), 405, "METHOD_NOT_ALLOWED")
    answer = await service.client.get("/healthz", headers={"origin": DASHBOARD})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [DASHBOARD, SECOND])
async def test_pages_that_are_allowed(open_to_pages: Service, origin: str) -> None:
    client = open_to_pages.client
    preflight = await client.options(
        "/graphql",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    headers = {"origin": origin, "sec-fetch-site": "cross-site"}
    for response in (
        await client.post("/graphql", json=TYPENAME, headers=headers),
        # Of refusals, too, the page shall read why.
        await client.post("/graphql", content=b"{", headers=headers),
        await client.get("/nothing", headers=headers),
    ):
        assert response.headers["access-control-allow-origin"] == origin
        assert "access-control-allow-credentials" not in response.headers
        assert response.headers["vary"] == "Origin"
        exposed = response.headers["access-control-expose-headers"].split(", ")
        assert {"X-Request-Id", "Retry-After", "RateLimit"} <= set(exposed)
    async with socket(open_to_pages, origin=origin) as ours:
        await ours.init()


async def test_an_allowed_page_may_watch(open_to_pages: Service) -> None:
    headers = {"origin": DASHBOARD, "accept": "text/event-stream"}
    response = await open_to_pages.client.post("/graphql", json=TYPENAME, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["access-control-allow-origin"] == DASHBOARD


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://dashboard.example", f"{DASHBOARD}:8443", "null"]
)
async def test_others_stay_outside(open_to_pages: Service, origin: str) -> None:
    client = open_to_pages.client
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    refused(await client.options("/graphql", headers=preflight), 405, "METHOD_NOT_ALLOWED")
    response = await client.post("/graphql", json=TYPENAME, headers={"origin": origin})
    refused(response, 403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


FOREIGN_HOSTS = ["evil.example", "evil.example:8000", "jobs.example", "127.0.0.1.evil.example", ""]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/", "/nothing"])
async def test_who_calls_us_by_another_name(service: Service, host: str, path: str) -> None:
    # As a page does whose own name has been made to lead here.
    headers = BROWSER | {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    refused(await service.client.get(path, headers=headers), 421, "HOST_NOT_ALLOWED")


async def test_websockets_by_another_name(service: Service) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with socket(service, Host="evil.example"):
            pass
    assert refusal.value.response.status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:80", "[::1]:8000", "x.localhost"]
)
async def test_names_that_lead_to_this_machine_only(service: Service, host: str) -> None:
    response = await service.client.post("/graphql", json=TYPENAME, headers={"host": host})
    assert response.status_code == 200


@pytest.mark.parametrize("host", ["jobs.example", "JOBS.example:443", "jobs.internal."])
async def test_names_that_are_set(open_to_pages: Service, host: str) -> None:
    response = await open_to_pages.client.post("/graphql", json=TYPENAME, headers={"host": host})
    assert response.status_code == 200


async def test_where_tokens_are_asked_for_any_name_does(database_url: str) -> None:
    async with serving(database_url, auth="token") as service:
        headers = {"host": "jobs.example"}
        response = await service.client.post("/graphql", json=TYPENAME, headers=headers)
        assert response.status_code == 401


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "dashboard.example"),
        ("CORS_ORIGINS", "https://dashboard.example/"),
        ("CORS_ORIGINS", f"{DASHBOARD}, https://*.example"),
        ("HOSTS", "*"),
        ("HOSTS", "https://jobs.example"),
        ("HOSTS", "jobs.example/x"),
    ],
)
def test_settings_that_name_none(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"JOBLENS_{variable}: "):
        Settings.read({f"JOBLENS_{variable}": value})


async def test_security_headers_on_every_answer(service: Service) -> None:
    client = service.client
    answers = [
        await client.post("/graphql", json=TYPENAME),
        await client.post("/graphql", content=b"{"),
        await client.get("/graphql", headers=BROWSER),
        await client.get("/nothing"),
        await client.get("/healthz"),
        await client.get("/readyz"),
        await client.get("/assets/nothing.js"),
        await client.put("/graphql"),
        await client.get("/healthz", headers={"host": "evil.example"}),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in answer.headers
    for answer in (*answers[:4], answers[7]):
        assert answer.headers["cache-control"] == "no-store"


async def test_the_page_has_a_policy_of_its_own(service: Service) -> None:
    pages = [await service.client.get("/graphql", headers=BROWSER) for _ in range(2)]
    policies = [page.headers["content-security-policy"] for page in pages]
    for page, policy in zip(pages, policies, strict=True):
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == directives["frame-ancestors"] == "'none'"
        assert directives["script-src"] == "'self'"
        nonce = directives["style-src-elem"].partition("'nonce-")[2].rstrip("'")
        assert f'nonce="{nonce}"' in page.text
        assert "CSP_NONCE" not in page.text
    assert policies[0] != policies[1]


async def test_assets_say_what_they_allow(service: Service) -> None:
    response = await service.client.post("/assets/nothing.js")
    refused(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD"


async def test_websockets_elsewhere(service: Service) -> None:
    url = service.client.base_url.join("/nothing")
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-version": "13",
    }
    refused(await service.client.get(url, headers=headers), 404, "NOT_FOUND")
