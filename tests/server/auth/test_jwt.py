"""Signing in with access tokens of an OpenID Connect provider, which runs as a process here."""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth import jwks
from server.settings import Settings, SettingsError
from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.server.auth.provider import (
    ALGORITHMS,
    AUDIENCE,
    FAILURES,
    ISSUER,
    Provider,
    running_provider,
)
from tests.server.auth.test_open_connections import assert_ends
from tests.server.cli.conftest import ROOT
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, OTHER_ORG, Service, serving

VIEWER = "{ viewer { orgId subject roles } }"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def own_provider() -> Iterator[Provider]:
    """One whose keys are rotated and whose requests are counted by one test alone."""
    with running_provider() as running:
        yield running


@asynccontextmanager
async def trusting(url: str, jwks: str, **settings: str) -> AsyncIterator[Service]:
    """Serve to those whom the provider of these keys knows."""
    given = {
        "auth": "jwt",
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
        "jwt_jwks": jwks,
        "jwt_algorithms": ",".join(ALGORITHMS),
        "jwt_leeway_seconds": "0",
    }
    async with serving(url, **(given | settings)) as service:
        yield service


@pytest.fixture(scope="module")
async def service(database_url: str, provider: Provider) -> AsyncIterator[Service]:
    async with trusting(database_url, provider.jwks_url) as running:
        yield running


async def ask(service: Service, token: str, **headers: str) -> httpx.Response:
    return await service.post(VIEWER, Authorization=f"Bearer {token}", **headers)


async def assert_refused(service: Service, token: str) -> str:
    answer = await ask(service, token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    return str(error["message"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_says_who_asks(service: Service, provider: Provider, algorithm: str) -> None:
    token = provider.token(
        algorithm=algorithm, org=OTHER_ORG, sub="ada@example.com", roles=["viewer", "x", "operator"]
    )
    for _ in range(2):
        answer = await ask(service, token)
        assert answer.status_code == 200
        viewer = answer.json()["data"]["viewer"]
        assert viewer == {
            "orgId": OTHER_ORG,
            "subject": "ada@example.com",
            "roles": ["VIEWER", "OPERATOR"],
        }


async def test_every_way_in(service: Service, provider: Provider) -> None:
    token = provider.token()
    bearer = f"Bearer {token}"
    got = await service.client.get(
        "/graphql", params={"query": VIEWER}, headers={"authorization": bearer}
    )
    assert got.json()["data"]["viewer"]["subject"] == "someone"
    async with stream(service, VIEWER, Authorization=bearer) as events:
        assert (await events.event())[1]["data"]["viewer"]["subject"] == "someone"
    for payload, headers in (({"token": token}, {}), ({}, {"Authorization": bearer})):
        async with socket(service, **headers) as client:
            await client.init(payload)
            assert (await client.ask("1", VIEWER))["viewer"]["subject"] == "someone"


async def test_no_token(service: Service) -> None:
    answer = await service.post(VIEWER)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    async with socket(service) as client:
        await client.send({"type": "connection_init"})
        assert await client.closed() == (4401, "Unauthorized")
    async with socket(service) as client:
        await client.send({"type": "connection_init", "payload": {"token": "x.y.z"}})
        assert await client.closed() == (4403, "Forbidden")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.com/"},
        {"iss": ISSUER.rstrip("/")},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**400},
        {"nbf": 2**40},
        {"iat": 2**40},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\0b"},
        {"sub": "line\nbreak"},
        {"sub": "\ud800"},
        {"sub": "x" * 256},
        {"org": None},
        {"org": "acme"},
        {"org": [ORG]},
        {"roles": None},
        {"roles": []},
        {"roles": ["root"]},
        {"roles": {"admin": True}},
        {"roles": [["admin"]]},
        {"filler": "x" * 20_000},
    ],
    ids=lambda claims: str(claims)[:30],
)
async def test_claims_that_are_not_right(
    service: Service, provider: Provider, claims: dict[str, Any]
) -> None:
    assert (await ask(service, provider.token())).status_code == 200
    await assert_refused(service, provider.token(**claims))


@pytest.mark.parametrize("audience", [[AUDIENCE, "other"], AUDIENCE])
async def test_one_audience_of_several(service: Service, provider: Provider, audience: Any) -> None:
    assert (await ask(service, provider.token(aud=audience))).status_code == 200


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def test_forgeries(service: Service, provider: Provider) -> None:
    good = provider.token()
    head, claims, signature = good.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    published = provider.published()
    public = jwt.PyJWK(published[0]).key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    more = encoded({**json.loads(base64.urlsafe_b64decode(claims + "==")), "sub": "root"})

    def mac(head: str, secret: bytes) -> str:
        code = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        return f"{head}.{claims}.{encoded(code)}"

    as_hmac = encoded({**header, "alg": "HS256"})
    by_secret = encoded({"alg": "HS256", "kid": "secret"})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    embedded = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    forgeries = {
        "other claims": f"{head}.{more}.{signature}",
        "no algorithm": f"{encoded({**header, 'alg': 'none'})}.{claims}.",
        "None": f"{encoded({**header, 'alg': 'None'})}.{claims}.",
        "no alg at all": f"{encoded({'kid': header['kid']})}.{claims}.{signature}",
        "alg is a list": f"{encoded({**header, 'alg': ['RS256']})}.{claims}.{signature}",
        "HMAC with the public key": mac(as_hmac, pem),
        "HMAC with a published secret": mac(by_secret, base64.b64decode("c2VjcmV0" * 8)),
        "another's key": jwt.encode(body, stranger, "RS256", {"kid": header["kid"]}),
        "a key that it brings": jwt.encode(
            body, stranger, "RS256", {"kid": header["kid"], "jwk": embedded}
        ),
        "a key for encryption": provider.token(header={"kid": "encryption 1"}),
        "a key of another kind": provider.token(header={"kid": "EdDSA 1"}),
        "an unknown key": provider.token(header={"kid": "unknown"}),
        "no key": provider.token(header={"kid": None}),
        "critical": provider.token(header={"crit": ["exp"], "exp": 1}),
        "kid is no text": f"{encoded({**header, 'kid': {'a': 1}})}.{claims}.{signature}",
        "deep header": f"{encoded(b'[' * 9_000)}.{claims}.{signature}",
        "no JSON": f"{encoded(b'{')}.{claims}.{signature}",
        "two parts": f"{head}.{claims}",
        "a token of ours": "jl_" + "A" * 64,
    }
    for name, forgery in forgeries.items():
        answer = await ask(service, forgery)
        assert (name, answer.status_code) == (name, 401)
        assert "data" not in answer.json()


async def test_only_algorithms_that_are_allowed(database_url: str, provider: Provider) -> None:
    async with trusting(database_url, provider.jwks_url, jwt_algorithms="ES256") as service:
        await assert_refused(service, provider.token())
        assert (await ask(service, provider.token(algorithm="ES256"))).status_code == 200


@pytest.mark.parametrize("algorithms", ["none", "HS256", "RS256,HS512", "RS256,,ES256"])
def test_algorithms_that_can_not_be_allowed(algorithms: str) -> None:
    with pytest.raises(SettingsError, match="JOBLENS_JWT_ALGORITHMS"):
        Settings.read({"JOBLENS_JWT_ALGORITHMS": algorithms})


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "JOBLENS_JWT_ISSUER, JOBLENS_JWT_AUDIENCE, JOBLENS_JWT_JWKS"),
        ({"JOBLENS_JWT_ISSUER": "x", "JOBLENS_JWT_AUDIENCE": "x"}, "needs JOBLENS_JWT_JWKS"),
        (
            {
                "JOBLENS_JWT_ISSUER": "x",
                "JOBLENS_JWT_AUDIENCE": "x",
                "JOBLENS_JWT_JWKS": "http://login.example.com/jwks",
            },
            "a file or an https: URL",
        ),
    ],
)
def test_settings_that_do_not_fit(variables: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings.read({"JOBLENS_AUTH": "jwt", **variables})


async def test_claims_by_settings(database_url: str, provider: Provider) -> None:
    async with trusting(
        database_url,
        provider.jwks_url,
        jwt_org_claim="https://example.com/org",
        jwt_subject_claim="user.name",
        jwt_roles_claim="realm_access.joblens.roles",
    ) as service:
        claims = {
            "https://example.com/org": OTHER_ORG,
            "user": {"name": "ada"},
            "realm_access": {"joblens": {"roles": "openid writer"}},
        }
        answer = await ask(service, provider.token(**claims))
        viewer = answer.json()["data"]["viewer"]
        assert viewer == {"orgId": OTHER_ORG, "subject": "ada", "roles": ["WRITER"]}
        message = await assert_refused(service, provider.token(**claims | {"user": "ada"}))
        assert "user.name" in message


async def test_leeway(database_url: str, provider: Provider) -> None:
    token = provider.token(exp=int(time.time()) - 30)
    async with trusting(database_url, provider.jwks_url, jwt_leeway_seconds="300") as service:
        assert (await ask(service, token)).status_code == 200
    async with trusting(database_url, provider.jwks_url) as service:
        await assert_refused(service, token)


@pytest.mark.parametrize(
    ("exp", "told"),
    [
        (4102444800, "2100-01-01T00:00:00+00:00"),
        (10**15, "9999-12-31T23:59:59.999999+00:00"),
        (10**30, "9999-12-31T23:59:59.999999+00:00"),
    ],
)
async def test_a_token_says_when_it_expires(
    service: Service, provider: Provider, exp: int, told: str
) -> None:
    bearer = f"Bearer {provider.token(exp=exp)}"
    data = await service.query("{ viewer { expiresAt } }", Authorization=bearer)
    assert datetime.fromisoformat(data["viewer"]["expiresAt"]) == datetime.fromisoformat(told)


async def test_an_expired_token_ends_what_it_opened(service: Service, provider: Provider) -> None:
    token = provider.token(exp=int(time.time()) + 3)
    async with (
        stream(service, COUNTS, Authorization=f"Bearer {token}") as events,
        socket(service) as client,
    ):
        await client.init({"token": token})
        await assert_ends(events)
        assert (await client.closed())[0] == 4403
    # Though it was checked a moment ago.
    await assert_refused(service, token)


async def test_no_other_organisation_may_be_named(service: Service, provider: Provider) -> None:
    token = provider.token()
    assert (await ask(service, token, Joblens_Org=ORG)).status_code == 200
    assert (await ask(service, token, Joblens_Org=OTHER_ORG)).status_code == 400


async def until_accepted(service: Service, token: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await ask(service, token)).status_code != 200:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.05)


async def test_rotated_keys(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.2)
    async with trusting(database_url, own_provider.jwks_url) as service:
        for _ in range(2):
            before = own_provider.token()
            await until_accepted(service, before)
            own_provider.rotate()
            # What is known stays good as long as nobody has a reason to ask the provider.
            assert (await ask(service, before)).status_code == 200
            await until_accepted(service, own_provider.token())
            await assert_refused(service, before)


async def test_keys_that_grow_old_are_read_anew(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0.05)
    async with trusting(database_url, own_provider.jwks_url) as service:
        stolen, another = own_provider.token(), own_provider.token(sub="another")
        assert (await ask(service, stolen)).status_code == 200
        own_provider.rotate()
        await asyncio.sleep(0.1)
        # It is still served by the old keys, and has them read anew.
        assert (await ask(service, another)).status_code == 200
        async with asyncio.timeout(PATIENCE_SECONDS):
            # What was checked with a key that is gone is not remembered.
            while (await ask(service, stolen)).status_code == 200:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
        await assert_refused(service, another)


async def test_a_flood_of_unknown_keys_asks_the_provider_once(
    database_url: str, own_provider: Provider
) -> None:
    async with trusting(database_url, own_provider.jwks_url) as service:
        good = own_provider.token()
        _, claims, signature = good.split(".")
        forged = [
            f"{encoded({'alg': 'RS256', 'kid': f'unknown {n}'})}.{claims}.{signature}"
            for n in range(200)
        ]
        answers = await asyncio.gather(*(ask(service, token) for token in forged))
        assert {answer.status_code for answer in answers} == {401}
        assert (await ask(service, good)).status_code == 200
        # Two, should it all take longer than the pause.
        assert own_provider.asked in {1, 2}


@pytest.mark.parametrize("how", ["error", "no keys", "no HTTP"])
async def test_a_provider_that_fails_leaves_the_old_keys(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    async with trusting(database_url, own_provider.jwks_url) as service:
        assert (await ask(service, own_provider.token())).status_code == 200
        own_provider.fail(how)
        await assert_refused(service, own_provider.token(header={"kid": "new"}))
        assert (await ask(service, own_provider.token(sub="another"))).status_code == 200
        own_provider.fail("")
        own_provider.rotate()
        await until_accepted(service, own_provider.token())


async def test_a_provider_that_points_elsewhere_is_not_followed(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    async with trusting(database_url, own_provider.jwks_url) as service:
        assert (await ask(service, own_provider.token())).status_code == 200
        own_provider.fail("redirect")
        own_provider.rotate()
        await assert_refused(service, own_provider.token())
        own_provider.fail("")
        await until_accepted(service, own_provider.token())


async def test_whatever_a_provider_answers_is_no_defect(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    async with trusting(database_url, own_provider.jwks_url) as service:
        for how in FAILURES:
            own_provider.fail(how)
            answer = await ask(service, own_provider.token())
            expected = (401, "UNAUTHENTICATED") if how == "a deep key" else (503, "UNAVAILABLE")
            code = answer.json()["errors"][0]["extensions"]["code"]
            assert (answer.status_code, code) == expected, how
        own_provider.fail("")
        await until_accepted(service, own_provider.token())


@pytest.mark.parametrize(("fetch_seconds", "wait_seconds"), [(0.2, 600.0), (600.0, 0.2)])
async def test_a_provider_that_is_never_done_is_not_waited_for(
    database_url: str,
    own_provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    fetch_seconds: float,
    wait_seconds: float,
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", fetch_seconds)
    monkeypatch.setattr(jwks, "WAIT_SECONDS", wait_seconds)
    own_provider.fail("drip")
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        trusting(database_url, own_provider.jwks_url) as service,
    ):
        for _ in range(3):
            answer = await ask(service, own_provider.token())
            assert answer.status_code == 503


async def test_a_provider_that_was_never_there(
    database_url: str, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    own_provider.fail("error")
    async with trusting(database_url, own_provider.jwks_url) as service:
        answer = await ask(service, own_provider.token())
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        async with socket(service) as client:
            await client.send(
                {"type": "connection_init", "payload": {"token": own_provider.token()}}
            )
            assert (await client.closed())[0] == 1013
        own_provider.fail("")
        await until_accepted(service, own_provider.token())


async def test_keys_of_a_file(database_url: str, provider: Provider, tmp_path: Path) -> None:
    published = provider.published()
    file = tmp_path / "jwks.json"
    # The only key: tokens need not name it.
    file.write_text(json.dumps({"keys": published[:1]}))
    async with trusting(database_url, str(file)) as service:
        assert (await ask(service, provider.token())).status_code == 200
        assert (await ask(service, provider.token(header={"kid": None}))).status_code == 200


def test_the_doctor_looks_at_the_keys(provider: Provider, tmp_path: Path) -> None:
    environment = {
        "JOBLENS_AUTH": "jwt",
        "JOBLENS_JWT_ISSUER": ISSUER,
        "JOBLENS_JWT_AUDIENCE": AUDIENCE,
        "JOBLENS_DATA_DIR": str(tmp_path),
    }
    for source, words in ((provider.jwks_url, "3 of http"), (str(tmp_path / "x"), "correct JOBL")):
        told = subprocess.run(
            [sys.executable, "-m", "joblens", "doctor"],
            cwd=ROOT,
            env=environment | {"JOBLENS_JWT_JWKS": source},
            check=False,
            capture_output=True,
            text=True,
        )
        assert words in told.stdout
