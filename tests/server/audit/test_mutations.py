"""Mutations in the audit log: one line each, with what each of its fields came to."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from resolvers.viewer import Role
from schema.execution.models import Operation, Request
from schema.execution.run import prepare
from server import operations
from server.auth.credentials import PresentedCredential
from server.logging import audit
from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.resolvers.live.rest import table_locked, until_someone_waits
from tests.server.audit.lines import Lines, listening
from tests.server.auth.minting import Minted, mint
from tests.support.service import ORG, Service, serving

CREATE = """mutation Create($type: String!, $key: String) {
  createJob(input: {type: $type, idempotencyKey: $key}) {
    ... on CreateJobPayload { job { id } } __typename } }"""


async def create(service: Service, minted: Minted, key: str | None = None) -> str:
    variables = {"type": "audited", "key": key}
    data = await service.query(CREATE, variables, Authorization=minted.bearer)
    id_: str = data["createJob"]["job"]["id"]
    return id_


async def mutate(service: Service, minted: Minted, fields: str) -> Any:
    response = await service.post(f"mutation {{ {fields} }}", Authorization=minted.bearer)
    return response.json()


async def test_who_what_and_from_where(service: Service, minted: Minted, lines: Lines) -> None:
    response = await service.post(
        CREATE, {"type": "audited"}, Authorization=minted.bearer, X_Request_Id="checkout-42"
    )
    assert lines.one() == {
        "event": "mutation",
        "request_id": "checkout-42",
        "transport": "http",
        "client": "127.0.0.1",
        "organisation": ORG,
        "subject": "night shift",
        "roles": ["admin"],
        "token": str(minted.id),
        "operation": "mutation",
        "operation_name": "Create",
        "fields": [
            {
                "field": "createJob",
                "outcome": "ok",
                "job": response.json()["data"]["createJob"]["job"]["id"],
                "created": True,
            }
        ],
        "outcome": "ok",
    }


async def test_the_transports(service: Service, minted: Minted, lines: Lines) -> None:
    mutation = 'mutation M { createJob(input: {type: "t"}) { __typename } }'
    async with stream(service, mutation, Authorization=minted.bearer) as events:
        assert (await events.event())[0] == "next"
    by_sse = lines.one()
    async with socket(service) as client:
        await client.init({"token": minted.text})
        for id_ in ("1", "2"):
            await client.ask(id_, mutation)
    by_socket = lines.take()
    assert [line["transport"] for line in [by_sse, *by_socket]] == ["sse", *["websocket"] * 2]
    for line in [by_sse, *by_socket]:
        assert (line["event"], line["outcome"]) == ("mutation", "ok")
        assert (line["operation_name"], line["token"]) == ("M", str(minted.id))


async def test_each_outcome(service: Service, minted: Minted, lines: Lines) -> None:
    key, missing = uuid4().hex, str(uuid4())
    job = await create(service, minted, key)
    assert await create(service, minted, key) == job
    outcomes: dict[str, dict[str, Any]] = {
        f'createJob(input: {{type: "other", idempotencyKey: "{key}"}})': {
            "outcome": "IdempotencyConflict",
            "job": job,
        },
        'createJob(input: {type: ""})': {"outcome": "InvalidInput"},
        'createJobs(input: [{type: "a"}, {type: "b"}])': {
            "outcome": "ok",
            "created": 2,
            "existing": 0,
        },
        f'transitionJob(input: {{id: "{job}", to: RUNNING}})': {"outcome": "ok", "job": job},
        f'transitionJob(input: {{id: "{job}", to: RUNNING, from: QUEUED}})': {
            "outcome": "IllegalTransition",
            "job": job,
        },
        f'transitionJobs(input: [{{id: "{job}", to: FAILED}}, {{id: "{missing}", to: FAILED}}])': {
            "outcome": "ok",
            "changed": 1,
            "refused": 1,
        },
        f'recordJobEvent(input: {{id: "{job}", detail: {{}}}})': {"outcome": "ok", "job": job},
        f'rescheduleJob(id: "{job}", reason: "r")': {"outcome": "IllegalTransition", "job": job},
        f'rerunJob(id: "{missing}", reason: "r")': {"outcome": "JobNotFound", "job": missing},
        f'cancelJob(id: "{missing}")': {"outcome": "JobNotFound", "job": missing},
        f'cancelJob(id: "{job}", reason: "r")': {"outcome": "ok", "job": job},
        f'retryJob(id: "{job}")': {"outcome": "ok", "job": job},
        f'cancelJobs(filter: {{ids: ["{job}"]}}, dryRun: true)': {
            "outcome": "ok",
            "changed": 0,
            "skipped": 0,
            "dry_run": True,
        },
        f'cancelJobs(filter: {{ids: ["{job}"]}})': {"outcome": "ok", "changed": 1, "skipped": 0},
        f'retryJobs(filter: {{ids: ["{job}"]}})': {"outcome": "ok", "changed": 1, "skipped": 0},
        f'deleteJobs(filter: {{ids: ["{job}"]}}, dryRun: true)': {
            "outcome": "ok",
            "deleted": 0,
            "dry_run": True,
        },
        f'deleteJobs(filter: {{ids: ["{job}"]}}, reason: "r\\u0000")': {
            "outcome": "ok",
            "deleted": 1,
            "dry_run": False,
            "reason": "r\ufffd",
        },
        "deleteJobs(filter: {}, limit: 1001)": {"outcome": "BAD_USER_INPUT"},
        'cancelJob(id: "x")': {"outcome": "BAD_USER_INPUT"},
        "cancelJobs(filter: {}, limit: 0)": {"outcome": "BAD_USER_INPUT"},
    }
    first, second = lines.take()
    assert [line["fields"][0]["created"] for line in (first, second)] == [True, False]
    for call, expected in outcomes.items():
        await mutate(service, minted, f"{call} {{ __typename }}")
        line = lines.one()
        assert line["fields"] == [{"field": call.partition("(")[0], **expected}]
        assert line["outcome"] == expected["outcome"]


async def test_several_fields_are_one_line(service: Service, minted: Minted, lines: Lines) -> None:
    job, missing = await create(service, minted), str(uuid4())
    lines.take()
    calls = [f'x{n}: cancelJob(id: "{id_}")' for n, id_ in enumerate([job, missing, job])]
    await mutate(service, minted, " ".join(f"{call} {{ __typename }}" for call in calls))
    line = lines.one()
    assert line["fields"] == [
        {"field": "cancelJob", "outcome": "ok", "job": job},
        {"field": "cancelJob", "outcome": "JobNotFound", "job": missing},
        {"field": "cancelJob", "outcome": "IllegalTransition", "job": job},
    ]
    # That of the first that did not do what it was asked to.
    assert line["outcome"] == "JobNotFound"


async def test_what_fails_after_the_write_does_not_undo_it(
    service: Service, minted: Minted, lines: Lines
) -> None:
    body = await mutate(
        service,
        minted,
        """createJob(input: {type: "t"}) { ... on CreateJobPayload {
             job { events(first: 1, after: "x") { nodes { id } } } } }""",
    )
    assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
    line = lines.one()
    assert (line["outcome"], line["fields"][0]["outcome"]) == ("ok", "ok")


async def test_an_answer_that_is_too_large_does_not_either(
    database_url: str, minted: Minted
) -> None:
    async with serving(database_url, auth="token", max_response_bytes="1024") as narrow:
        with listening() as lines:
            names = " ".join(f"{'n' * 100}{n}: status" for n in range(10))
            selected = f"{{ ... on CreateJobPayload {{ job {{ {names} }} }} }}"
            body = await mutate(narrow, minted, f'createJob(input: {{type: "t"}}) {selected}')
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "RESPONSE_TOO_LARGE"
    line = lines.one()
    assert line["outcome"] == "ok"
    # The client reads the same.
    assert line["fields"] == error["extensions"]["fields"]


async def test_an_argument_that_cannot_be_read(
    service: Service, minted: Minted, lines: Lines
) -> None:
    query = "mutation ($n: Int) { cancelJobs(filter: {}, limit: $n) { __typename } }"
    response = await service.post(query, {"n": None}, Authorization=minted.bearer)
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    line = lines.one()
    assert (line["fields"], line["outcome"]) == ([], "BAD_USER_INPUT")


async def test_what_was_not_in_time(
    database_url: str, minted: Minted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(database_url, auth="token", request_timeout_seconds="1") as hasty:
        with listening() as lines:
            # Known by now: the lock must not keep its token from being looked up.
            await create(hasty, minted)
            async with table_locked(database_url):
                await mutate(hasty, minted, 'createJob(input: {type: "t"}) { __typename }')
    line = lines.take()[-1]
    assert (line["event"], line["outcome"]) == ("mutation", "TIMEOUT")
    assert line["fields"] == [{"field": "createJob", "outcome": "TIMEOUT"}]


async def test_what_was_interrupted(
    service: Service, database_url: str, minted: Minted, lines: Lines
) -> None:
    state = service.state
    request = Request('mutation { createJob(input: {type: "t"}) { __typename } }')
    operation = prepare(request, state.rules)
    assert isinstance(operation, Operation)

    async def run() -> None:
        scope = {"type": "http", "client": ("203.0.113.7", 1)}
        with audit.request_context(state.audit_log, scope):
            credential = await state.sign_in(PresentedCredential(minted.bearer))
            audit.set_operation(operation)
            await operations._answer(state, credential.viewer, operation, request, None)

    async with table_locked(database_url):
        running = asyncio.create_task(run())
        await until_someone_waits(database_url)
        running.cancel()
        await asyncio.wait({running})
    line = lines.one()
    assert (line["client"], line["outcome"]) == ("203.0.113.7", "interrupted")
    assert line["fields"] == [{"field": "createJob", "outcome": "interrupted"}]


async def test_reads_are_not_told(service: Service, minted: Minted, lines: Lines) -> None:
    bearer = {"Authorization": minted.bearer}
    await service.query("{ jobs { nodes { id } } }", **bearer)
    await service.post("{ node(id: 1) { nothing } }", **bearer)
    await service.query("mutation { __typename }", **bearer)
    async with stream(service, COUNTS, **bearer) as events:
        assert (await events.event())[0] == "next"
    async with socket(service) as client:
        await client.init({"token": minted.text})
        await client.ask("1", "{ viewer { subject } }")
    assert lines.take() == []


async def test_what_may_not_be_done(service: Service, database_url: str, lines: Lines) -> None:
    writer = await mint(database_url, Role.WRITER, name="worker")
    body = await mutate(
        service,
        writer,
        f"""createJob(input: {{type: "t"}}) {{ __typename }}
            cancelJob(id: "{uuid4()}") {{ __typename }} retryJobs(filter: {{}}) {{ changed }}""",
    )
    assert "data" not in body
    line = lines.one()
    assert (line["event"], line["code"]) == ("refused", "FORBIDDEN")
    assert (line["subject"], line["roles"]) == ("worker", ["writer"])
    assert line["fields"] == [
        {"field": "cancelJob", "outcome": "FORBIDDEN"},
        {"field": "retryJobs", "outcome": "FORBIDDEN"},
    ]


async def test_it_can_be_switched_off(database_url: str, minted: Minted) -> None:
    async with serving(database_url, auth="token", audit_log="false") as silent:
        with listening() as lines:
            await create(silent, minted)
            assert (await silent.post("{ __typename }")).status_code == 401
            await silent.client.get("/graphql", headers={"x": "y" * 100_000})
    assert lines.take() == []
