"""Each refusal at each entrance: the promised code, and nothing that is nobody's business."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.viewer import Role
from server.auth.token_format import new_token
from tests.resolvers.live.rest import table_locked, until_someone_waits
from tests.schema.limits import documents
from tests.security.entrances import (
    ENTRANCES,
    INTERNAL,
    PAGES,
    PLAIN,
    SOCKETS,
    STREAMED,
    Asked,
    Told,
    logged,
)
from tests.server.auth.minting import mint, revoke
from tests.support.service import ORG, OTHER_ORG, Service, serving

# What an entrance says as if there were nothing to refuse.
AS_EVER = "as ever"
JOBS = "{ jobs { nodes { id } } }"


@dataclass(frozen=True)
class No:
    """A combination without sense, and why."""

    why: str


Due = Told | No | str


@dataclass(frozen=True)
class Case:
    """A refusal: at which server, how it is brought about, and what each entrance then tells."""

    name: str
    bring_about: Callable[["Stage"], Awaitable[Asked]]
    due: Mapping[str, Due]
    server: str = "token"


@dataclass
class Stage:
    """Where a refusal is brought about; `tokens` must be heard of nowhere, `stack` ends with it."""

    service: Service
    database_url: str
    stack: AsyncExitStack
    tokens: list[str]

    async def token(self, role: Role = Role.ADMIN, **given: Any) -> str:
        minted = await mint(self.database_url, role, name=f"n{uuid4().hex}", **given)
        self.tokens.append(minted.text)
        return minted.text

    async def asked(self, query: str = JOBS, role: Role = Role.ADMIN, **given: Any) -> Asked:
        """Ask with a token that is in order."""
        return Asked(query, headers={"authorization": f"Bearer {await self.token(role)}"}, **given)


def told(
    status: int,
    code: str,
    *,
    socket: Due | None = None,
    streamed: Due | None = None,
    pages: Due = AS_EVER,
) -> dict[str, Due]:
    """Tell what is due at most entrances: HTTP refuses with a status, WebSocket by a message."""
    answer = Told("answer", status, code)
    return {
        **dict.fromkeys(PLAIN, answer),
        **dict.fromkeys(STREAMED, streamed or answer),
        **dict.fromkeys(SOCKETS, socket or Told("error", None, code)),
        **dict.fromkeys(PAGES, pages),
    }


def in_answers(status: int, code: str) -> dict[str, Due]:
    """Tell what is due of a document that cannot be run: where a stream was asked for, by that."""
    return told(status, code, streamed=Told("event", 200, code))


def bearer(make: Callable[[Stage], Awaitable[str]]) -> Callable[[Stage], Awaitable[Asked]]:
    async def bring_about(stage: Stage) -> Asked:
        return Asked(headers={"authorization": f"Bearer {await make(stage)}"})

    return bring_about


def document(query: str, subscription: str | None = None) -> Callable[[Stage], Awaitable[Asked]]:
    async def bring_about(stage: Stage) -> Asked:
        watch = {} if subscription is None else {"subscription": subscription}
        return await stage.asked(query, **watch)

    return bring_about


async def no_token(_stage: Stage) -> Asked:
    return Asked()


async def another_scheme(_stage: Stage) -> Asked:
    return Asked(headers={"authorization": "Basic dTpw"})


async def garbled(_stage: Stage) -> str:
    return "jl_" + "x" * 63 + "!"


async def unknown(stage: Stage) -> str:
    stage.tokens.append(new_token(UUID(ORG)))
    return stage.tokens[-1]


async def forged(stage: Stage) -> str:
    """The secret is right; only the organisation that it names is another."""
    secret = urlsafe_b64decode((await stage.token()).removeprefix("jl_"))[16:]
    stage.tokens.append("jl_" + urlsafe_b64encode(UUID(OTHER_ORG).bytes + secret).decode())
    return stage.tokens[-1]


async def expired(stage: Stage) -> str:
    return await stage.token(expires=timedelta(0))


async def revoked(stage: Stage) -> str:
    minted = await mint(stage.database_url, name="revoked")
    await revoke(stage.database_url, minted)
    stage.tokens.append(minted.text)
    return minted.text


def with_header(name: str, value: str) -> Callable[[Stage], Awaitable[Asked]]:
    async def bring_about(stage: Stage) -> Asked:
        asked = await stage.asked()
        return Asked(headers={**asked.headers, name: value})

    return bring_about


async def too_small_a_role(stage: Stage) -> Asked:
    return await stage.asked(
        'mutation { createJob(input: {type: "x"}) { __typename } }', Role.VIEWER
    )


async def points_spent(stage: Stage) -> Asked:
    asked = await stage.asked()
    answer = await stage.service.client.post(
        "/graphql", json={"query": JOBS}, headers=asked.headers
    )
    assert "errors" not in answer.json()
    return asked


async def places_taken(stage: Stage) -> Asked:
    """Keep a request of the same viewer running for as long as the case lasts."""
    asked = await stage.asked("{ __typename }")
    await stage.stack.enter_async_context(_running(stage, asked))
    return asked


@asynccontextmanager
async def _running(stage: Stage, asked: Asked) -> AsyncIterator[None]:
    async with table_locked(stage.database_url):
        post = stage.service.client.post("/graphql", json={"query": JOBS}, headers=asked.headers)
        waiting = asyncio.create_task(post)
        await until_someone_waits(stage.database_url)
        yield
    assert "errors" not in (await waiting).json()


async def foreign_host(_stage: Stage) -> Asked:
    return Asked(headers={"host": "evil.example"})


STRANGER = told(401, "UNAUTHENTICATED", socket=Told("close", 4403))
MUTATION = told(403, "FORBIDDEN", streamed=Told("event", 200, "FORBIDDEN"))
NO_GET: dict[str, Due] = dict.fromkeys(
    ("GET", "SSE GET"), Told("answer", 405, "METHOD_NOT_ALLOWED")
)
NO_HOST = Told("answer", 421, "HOST_NOT_ALLOWED")
ALIASED = f"subscription {{ statusCounts {{ {' '.join(f'a{n}: status' for n in range(60))} }} }}"
DEAR = "{ jobs(first: 200) { nodes { events(first: 200) { nodes { id } } } } }"
DEAR_EVENT = "subscription { jobEvents { node { job { events(first: 200) { nodes { job { events(first: 200) { nodes { id } } } } } } } } }"
SCHEMA = "{ __schema { types { name } } }"
CASES = [
    Case("no token", no_token, told(401, "UNAUTHENTICATED", socket=Told("close", 4401))),
    Case("another scheme", another_scheme, STRANGER),
    Case("a garbled token", bearer(garbled), STRANGER),
    Case("an unknown token", bearer(unknown), STRANGER),
    Case("a token of a forged organisation", bearer(forged), STRANGER),
    Case("an expired token", bearer(expired), STRANGER),
    Case("a revoked token", bearer(revoked), STRANGER),
    Case(
        "another organisation",
        with_header("joblens-org", OTHER_ORG),
        told(400, "BAD_REQUEST", socket=Told("close", 4403)),
    ),
    Case(
        "too small a role",
        too_small_a_role,
        {**MUTATION, **NO_GET, "WebSocket subscribe": No("every role may watch")},
    ),
    Case(
        "a foreign origin",
        with_header("origin", "https://evil.example"),
        told(403, "ORIGIN_NOT_ALLOWED", socket=Told("handshake", 403, "ORIGIN_NOT_ALLOWED")),
    ),
    Case(
        "a foreign host",
        foreign_host,
        told(
            421,
            "HOST_NOT_ALLOWED",
            socket=Told("handshake", 421, "HOST_NOT_ALLOWED"),
            pages=NO_HOST,
        ),
        server="open",
    ),
    Case(
        "beyond a limit",
        document(documents.aliases(60), ALIASED),
        in_answers(400, "LIMIT_EXCEEDED"),
    ),
    Case("beyond the cost", document(DEAR, DEAR_EVENT), in_answers(400, "COST_EXCEEDED")),
    Case("out of points", points_spent, told(429, "RATE_LIMITED"), server="poor"),
    Case("too many requests", places_taken, told(429, "TOO_MANY_REQUESTS"), server="narrow"),
    Case(
        "an unregistered document",
        document(JOBS),
        {
            **in_answers(403, "UNTRUSTED_DOCUMENT"),
            "GraphiQL": Told("answer", 404, "NOT_FOUND"),
        },
        server="registered",
    ),
    Case(
        "introspection",
        document(SCHEMA),
        {
            **in_answers(400, "INTROSPECTION_DISABLED"),
            "WebSocket subscribe": No("a subscription has no __schema"),
        },
        server="closed",
    ),
]


@pytest.fixture(scope="module")
async def servers(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Any]:
    manifests: Path = tmp_path_factory.mktemp("manifests")
    (manifests / "registered.json").write_text(json.dumps({"1": "{ viewer { subject } }"}))
    settings: dict[str, dict[str, str]] = {
        "token": {},
        "open": {"auth": "none"},
        "poor": {"rate_points_per_minute": "50"},
        "narrow": {"max_requests_per_viewer": "1"},
        "registered": {"documents": "only", "documents_dir": str(manifests)},
        "closed": {"introspection": "false"},
    }
    async with AsyncExitStack() as stack:
        running = {
            name: await stack.enter_async_context(
                serving(database_url, **{"auth": "token", **given})
            )
            for name, given in settings.items()
        }
        yield running


def test_every_entrance_has_its_place_in_every_case() -> None:
    for case in CASES:
        assert case.due.keys() == ENTRANCES.keys(), case.name


@pytest.mark.parametrize(
    ("case", "entrance"),
    [
        pytest.param(case, name, id=f"{case.name}-{name}")
        for case in CASES
        for name, due in case.due.items()
        if not isinstance(due, No)
    ],
)
async def test_a_refusal_at_an_entrance(
    servers: dict[str, Service], database_url: str, case: Case, entrance: str
) -> None:
    service, ask, tokens = servers[case.server], ENTRANCES[entrance], list[str]()
    due = case.due[entrance]
    if due == AS_EVER:
        due, _ = await ask(service, Asked())
        assert due.number in {200, 307, 404}
    with logged() as log:
        async with AsyncExitStack() as stack:
            asked = await case.bring_about(Stage(service, database_url, stack, tokens))
            got, text = await ask(service, asked)
    assert got == due
    assert not INTERNAL.search(text)
    for token in tokens:
        assert token not in text
        assert not any(token in line for line in log.lines)
