"""Signing in with a token over HTTP: who gets in, as whom, and what everybody else is told."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from db.admin_session import admin_session
from db.commands.tokens import record_last_use
from db.tables import ROLES
from resolvers.viewer import Role
from server.auth.token_auth import TokenAuthenticator
from server.auth.token_format import digest, new_token
from tests.server.auth.minting import Minted, mint, revoke
from tests.support.service import ORG, OTHER_ORG, Service, serving

VIEWER = "{ viewer { orgId subject roles } }"
GRAPHQL = "application/graphql-response+json"
KINDS = ["POST", "POST json", "GET", "HEAD", "SSE", "SSE GET"]


async def ask(service: Service, kind: str, authorization: str | None) -> httpx.Response:
    """Ask who asks, over any of the ways of HTTP."""
    headers = {} if authorization is None else {"authorization": authorization}
    headers["accept"] = {"SSE": "text/event-stream", "POST json": "application/json"}.get(
        kind.removesuffix(" GET"), GRAPHQL
    )
    if kind in {"GET", "HEAD", "SSE GET"}:
        method = kind.removeprefix("SSE ")
        return await service.client.request(
            method, "/graphql", params={"query": VIEWER}, headers=headers
        )
    return await service.client.post("/graphql", json={"query": VIEWER}, headers=headers)


def test_a_token_names_its_organisation_and_is_never_the_same() -> None:
    tokens = {new_token(UUID(ORG)) for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {67}


def test_roles_are_the_same_everywhere() -> None:
    assert tuple(Role) == ROLES


@pytest.mark.parametrize("kind", KINDS)
async def test_no_token(service: Service, kind: str) -> None:
    answer = await ask(service, kind, None)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    if kind != "HEAD":
        (error,) = answer.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "data" not in answer.json()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flaw", ["unknown", "another organisation's", "revoked", "expired"])
async def test_a_token_that_is_worth_nothing(
    service: Service, database_url: str, kind: str, flaw: str
) -> None:
    minted = await mint(database_url, expires=timedelta(0) if flaw == "expired" else None)
    token = minted.text
    if flaw == "revoked":
        await revoke(database_url, minted)
    elif flaw == "unknown":
        token = new_token(UUID(ORG))
    elif flaw == "another organisation's":
        # The secret is right; only the organisation that it names is another.
        secret = urlsafe_b64decode(token[3:])[16:]
        token = "jl_" + urlsafe_b64encode(UUID(OTHER_ORG).bytes + secret).decode()
    answer = await ask(service, kind, f"Bearer {token}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert token not in answer.text


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Basic dTpw",
        "jl_",
        "Bearer x",
        "Bearer jl_x",
        "Bearer " + "x" * 67,
    ],
)
async def test_what_is_no_token(service: Service, authorization: str) -> None:
    answer = await ask(service, "POST", authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kind", ["POST", "POST json", "GET", "SSE", "SSE GET"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_a_token_says_who_asks(
    service: Service, database_url: str, kind: str, scheme: str
) -> None:
    minted = await mint(database_url, Role.OPERATOR, name="night shift", expires=timedelta(hours=1))
    answer = await ask(service, kind, f"{scheme} {minted.text}")
    assert answer.status_code == 200
    assert f'{{"orgId":"{ORG}","subject":"night shift","roles":["OPERATOR"]}}' in answer.text


@pytest.mark.parametrize("expires", [None, timedelta(hours=1)])
async def test_a_token_says_until_when_and_for_whom(
    service: Service, database_url: str, expires: timedelta | None
) -> None:
    before = datetime.now(UTC)
    minted = await mint(database_url, Role.VIEWER, expires=expires)
    query = "{ viewer { expiresAt orgName } }"
    told = (await service.query(query, Authorization=minted.bearer))["viewer"]
    assert told["orgName"] == f"org {ORG}"
    if expires is None:
        assert told["expiresAt"] is None
    else:
        until = datetime.fromisoformat(told["expiresAt"])
        assert before + expires <= until <= datetime.now(UTC) + expires


async def test_events_bear_the_name(service: Service, database_url: str) -> None:
    minted = await mint(database_url, name="mailer")
    query = """mutation { createJob(input: {type: "mail"}) {
      ... on CreateJobPayload { job { latestEvent { detail } } }
    } }"""
    data = await service.query(query, Authorization=minted.bearer)
    assert data["createJob"]["job"]["latestEvent"]["detail"]["by"] == "mailer"


async def test_each_sees_their_own_organisation(service: Service, database_url: str) -> None:
    orgs = [str(uuid4()), str(uuid4())]
    create = 'mutation { createJob(input: {type: "mine"}) { __typename } }'
    minted = [await mint(database_url, org=org) for org in orgs]
    await service.query(create, Authorization=minted[0].bearer)
    for each, jobs in zip(minted, (1, 0), strict=True):
        found = await service.query("{ jobs { count { value } } }", Authorization=each.bearer)
        assert found["jobs"]["count"]["value"] == jobs


async def test_no_other_organisation_may_be_named(service: Service, database_url: str) -> None:
    minted = await mint(database_url)
    same = await service.post(VIEWER, Authorization=minted.bearer, Joblens_Org=ORG)
    assert same.json()["data"]["viewer"]["orgId"] == ORG
    for named in (OTHER_ORG, "x"):
        other = await service.post(VIEWER, Authorization=minted.bearer, Joblens_Org=named)
        assert other.status_code == 400
        assert other.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_nothing_is_read_of_strangers(service: Service) -> None:
    answer = await service.client.post(
        "/graphql", content=b"no JSON", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 401


async def test_health_and_the_page_need_no_token(service: Service) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await service.client.get(path)).status_code == 200
    page = await service.client.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert '<meta name="joblens-auth" content="token"' in page.text


async def test_the_pages_can_be_switched_off(database_url: str) -> None:
    off = {"graphiql": "false", "dashboard": "false"}
    async with serving(database_url, auth="token", **off) as service:
        browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        assert (await service.client.get("/graphql", headers=browser)).status_code == 401
        for path in ("/", "/jobs", "/assets/licenses.md", "/assets/dashboard/licenses.md"):
            assert (await service.client.get(path, headers=browser)).status_code == 404


async def test_a_token_is_not_looked_up_for_every_request(
    service: Service, database_url: str
) -> None:
    minted = await mint(database_url)
    with service.recorded() as statements:
        for _ in range(50):
            await service.query(VIEWER, Authorization=minted.bearer)
            await service.post(VIEWER, Authorization=f"Bearer {new_token(UUID(ORG))[:-8]}AAAAAAAA")
    lookups = [each for each in statements if each.startswith("SELECT token.hash")]
    assert len(lookups) < 50 + 50 / 2


async def test_those_who_ask_at_once_wait_for_one_look(service: Service, database_url: str) -> None:
    minted = await mint(database_url)
    with service.recorded() as statements:
        await asyncio.gather(
            *(service.query(VIEWER, Authorization=minted.bearer) for _ in range(10))
        )
    assert len([each for each in statements if each.startswith("SELECT token.hash")]) == 1


async def test_the_database_is_away() -> None:
    async with serving("postgresql://x@127.0.0.1:1/x", auth="token") as service:
        answer = await ask(service, "POST", f"Bearer {new_token(UUID(ORG))}")
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def last_use(url: str, minted: Minted) -> datetime | None:
    connection = await asyncpg.connect(url)
    at = await connection.fetchval("SELECT last_used_at FROM token WHERE id = $1", minted.id)
    await connection.close()
    return at  # type: ignore[no-any-return]


async def test_the_last_use_is_noted(service: Service, database_url: str) -> None:
    minted = await mint(database_url)
    before = datetime.now(UTC)
    assert await last_use(database_url, minted) is None
    await service.query(VIEWER, Authorization=minted.bearer)
    while (at := await last_use(database_url, minted)) is None:  # noqa: ASYNC110 - it is another's
        await asyncio.sleep(0.02)
    assert before <= at <= datetime.now(UTC)


async def test_the_last_use_is_noted_once_a_minute(database_url: str) -> None:
    minted = await mint(database_url)
    first = datetime.now(UTC)
    for seconds, noted in ((0, 0), (1, 0), (59, 0), (60, 60), (90, 60)):
        async with admin_session(database_url) as session:
            now = first + timedelta(seconds=seconds)
            await record_last_use(session, UUID(ORG), [digest(minted.text)], now)
        assert await last_use(database_url, minted) == first + timedelta(seconds=noted)


async def test_a_request_does_not_wait_for_its_use_to_be_noted(
    service: Service, database_url: str
) -> None:
    minted = await mint(database_url)
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT FROM token WHERE id = $1 FOR UPDATE", minted.id)
        assert await service.query(VIEWER, Authorization=minted.bearer)
        assert await last_use(database_url, minted) is None
    await connection.close()


async def test_what_a_process_remembers_is_bounded(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.token_auth.CACHE_SIZE", 3)
    authenticator = TokenAuthenticator(service.engine, 10)
    for text in [new_token(UUID(ORG)) for _ in range(5)]:
        assert await authenticator._find(digest(text), text) is None
    minted = [await mint(database_url) for _ in range(5)]
    for each in minted:
        assert await authenticator._find(digest(each.text), each.text) is not None
    assert len(authenticator._known) == len(authenticator._unknown) == 3
    await authenticator.stop()
