"""Viewers of several organisations and roles at once: each gets what it gets alone."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from random import Random
from types import FrameType, FunctionType, ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql.execution.values import VariableValues
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.request_session import RequestSession
from resolvers.context import Context
from resolvers.response_size import ResponseSize
from resolvers.viewer import Role, Viewer
from schema.execution import documents
from schema.execution.plan_cache import PlanCache
from schema.execution.plans import Level, Plan
from schema.execution.running import Run
from tests.server.auth.minting import mint
from tests.support.ledger import events, insert, job
from tests.support.service import ORG, OTHER_ORG, Service, serving

ROUNDS = 12
ORGS = {"a": ORG, "b": OTHER_ORG}


def ledger(name: str, org: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Make ended jobs, whose durations are always the same, with secrets in some of all texts."""
    jobs, steps = [], []
    for n in range(8):
        secret = {"n": n, "of": name, **({"password": f"secret {name}{n}"} if n % 2 else {})}
        # Of text, credentials in URLs are secret.
        message = f"no answer of https://{name}:secret-{name}{n}@host/" if n % 3 else "no answer"
        row = job(
            n,
            org_id=UUID(org),
            id=UUID(f"00000000-0000-7000-8000-{'ab'.index(name)}{n:011}"),
            status="failed",
            type=f"type.{name}",
            payload=secret,
            result=secret if n % 2 else None,
            last_error_message=message,
            last_error_code="E1",
        )
        detail = {"error": {"message": message, "code": "E1"}} | (secret if n > 3 else {})
        steps += events(row, "queued", "running", "failed", detail=detail)
        jobs.append(row)
    return jobs, steps


LEDGERS = {name: ledger(name, org) for name, org in ORGS.items()}
IDS = [str(row["id"]) for rows, _ in LEDGERS.values() for row in rows]
QUERIES: list[tuple[str, dict[str, Any]]] = [
    # Events that PostgreSQL writes, unless there is something to redact.
    ("{ jobs { nodes { id payload events { nodes { id ts nextStatus detail } } } } }", {}),
    (
        """{ viewer { orgId subject roles } jobs { nodes { allowedTransitions result waitSeconds
        lastErrorMessage attempts { number runSeconds errorCode errorMessage }
        latestEvent { detail job { payload lastErrorMessage } } } } }""",
        {},
    ),
    (
        """query ($few: Int!, $all: Boolean!) { a: jobs(first: $few) { ...Page } b: jobs(last: 2) {
        ...Page } jobEvents(first: $few) { nodes { detail } } }
        fragment Page on JobConnection { edges { cursor node { x: payload y: payload
        one: events(first: 1) { nodes { detail } } two: events(last: 2) { edges { cursor node { d: detail } }
        count { value } pageInfo { endCursor } } } } pageInfo { hasNextPage } count @include(if: $all) { value } }""",
        {"few": 3, "all": True},
    ),
    (
        """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Job { payload events {
        nodes { detail } } } ... on JobEvent { detail job { type payload } } } }""",
        {"ids": [IDS[1], IDS[9], f"{IDS[5]}:1", f"{IDS[13]}:2", IDS[12]]},
    ),
    (
        """{ statusCounts { status count { value } } jobGroups(by: [TYPE]) { key { type }
        count wait { count } } jobs(first: 1, filter: {status: [FAILED]}) { count { value } } }""",
        {},
    ),
]


@dataclass(frozen=True, slots=True)
class Client:
    """A viewer, by its token. `others`: what it must never see."""

    service: Service
    bearer: str
    others: str
    role: Role

    async def ask(self, query: str, variables: dict[str, Any]) -> str:
        response = await self.service.post(query, variables, authorization=self.bearer)
        assert response.status_code == 200
        return response.text


@pytest.fixture(scope="module")
async def clients(database_url: str) -> AsyncIterator[list[Client]]:
    tokens = [
        (name, role, await mint(database_url, role, org=org, name=f"{name} {role}"))
        for name, org in ORGS.items()
        for role in (Role.ADMIN, Role.VIEWER)
    ]
    for jobs, steps in LEDGERS.values():
        await insert(database_url, jobs, steps)
    async with serving(database_url, auth="token") as service:
        yield [
            Client(service, token.bearer, "ab".replace(name, ""), role)
            for name, role, token in tokens
        ]


async def test_each_gets_what_it_gets_alone(clients: list[Client]) -> None:
    asked = [(client, *query) for client in clients for query in QUERIES]
    alone = {}
    for client, query, variables in asked:
        text = alone[client, query] = await client.ask(query, variables)
        assert '"errors"' not in text
        assert f"secret {client.others}" not in text
        assert f"secret-{client.others}" not in text
        assert f"type.{client.others}" not in text
        if client.role is Role.VIEWER:
            assert "secret " not in text
            assert "secret-" not in text
    # They do see different things.
    for query, _ in QUERIES[:3]:
        assert len({alone[client, query] for client in clients}) == len(clients)
    order = asked * ROUNDS
    Random(0).shuffle(order)
    together = await asyncio.gather(*(client.ask(query, given) for client, query, given in order))
    for (client, query, _), text in zip(order, together, strict=True):
        assert text == alone[client, query]


# Selections that cannot be collected, of the root and of another object.
UNCOLLECTED = [
    "query ($if: Boolean = true) { viewer { orgId } ...Rest @include(if: $if) } "
    "fragment Rest on Query { jobs { nodes { id } } }",
    "query ($if: Boolean = true) { jobs { nodes { id type @include(if: $if) } } }",
]

# What belongs to one request, or is read by it.
OF_A_REQUEST = (
    Context,
    RequestSession,
    Viewer,
    AsyncSession,
    AsyncEngine,
    Run,
    ResponseSize,
    asyncio.Future,
    FrameType,
    asyncpg.Record,
    VariableValues,
)
# Of the whole process, not of a plan.
SHARED = (ModuleType, type)


def reachable(roots: list[Any]) -> Iterator[Any]:
    """Find all that the roots hold; of functions, without the globals of their modules."""
    seen: set[int] = set()
    found = list(roots)
    while found:
        each = found.pop()
        if id(each) in seen or isinstance(each, SHARED):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, FunctionType):
            found += [each.__closure__, each.__defaults__, each.__kwdefaults__, each.__dict__]
        else:
            found += gc.get_referents(each)


def test_what_is_reachable() -> None:
    """What the next test looks for would be found."""
    held = VariableValues({}, {})
    level: Any = Level(None, counts=False)  # type: ignore[arg-type]
    level.project = lambda *_given: held
    cache = PlanCache()
    cache._plans["key"] = level
    assert any(each is held for each in reachable([cache]))


async def test_plans_hold_nothing_of_a_request(clients: list[Client]) -> None:
    gc.collect()
    for client in clients:
        for query, variables in QUERIES:
            await client.ask(query, variables)
        for query in UNCOLLECTED:
            assert '"errors"' in await client.ask(query, {"if": None})
    service = clients[0].service
    plans: list[Plan] = []
    queries = [*(query for query, _ in QUERIES), *UNCOLLECTED]
    for query in queries:
        found, errors = documents.read(query, service.state.rules, trusted=False)
        assert found is not None
        assert not errors
        plans += [plan for plan in found.plans._plans.values() if isinstance(plan, Plan)]
    # One for those who may see secrets, one for the others.
    assert len(plans) == 2 * len(queries)
    rows = {id(row) for jobs, steps in LEDGERS.values() for row in (*jobs, *steps)}
    held = list(reachable(list(plans)))
    assert len(held) > 1_000
    of_a_request = [each for each in held if isinstance(each, OF_A_REQUEST) or id(each) in rows]
    assert not of_a_request, [type(each) for each in of_a_request]
    texts = {each for each in held if isinstance(each, str)}
    assert not [text for text in texts if "secret " in text or "type.a" in text]
