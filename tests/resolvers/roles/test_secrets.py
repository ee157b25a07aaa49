"""Secrets are hidden whichever way they are reached, from all but administrators."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type

from resolvers.viewer import Role
from schema.execution.subscription_responses import SubscriptionResponses
from schema.schema import core_schema
from server.response_encoding import dumps
from tests.resolvers.roles.asking import ADMIN, OPERATOR, VIEWER, WRITER, Asking, asking
from tests.resolvers.roles.secrets import (
    DOCUMENT,
    MESSAGE,
    SECRET,
    SHOWN_DOCUMENT,
    SHOWN_MESSAGE,
    SHOWN_URL,
    secretive_job,
)
from tests.support.ledger import insert
from tests.support.patience import PATIENCE_SECONDS

EVENT = "detail"
JOB = (
    "payload result lastErrorMessage attempts { errorCode errorMessage } latestEvent { detail }"
    " events { nodes { detail job { payload result lastErrorMessage } } edges { node { detail } } }"
)
ROW, EVENTS = secretive_job(0, idempotency_key="key", type="t", batch="b")
# No writer makes such a circle: here one job is enough.
ROW["parent_id"] = ROW["id"]
ID = str(ROW["id"])
READS = {
    "job": f'job(id: "{ID}") {{ {JOB} }}',
    "node": f'node(id: "{ID}") {{ ... on Job {{ {JOB} }} }}',
    "node of an event": f'node(id: "{ID}:3") {{ ... on JobEvent {{ {EVENT} job {{ {JOB} }} }} }}',
    "nodes": f'nodes(ids: ["{ID}", "{ID}:1"]) {{ ... on Job {{ {JOB} }} ... on JobEvent {{ {EVENT} }} }}',
    "jobs": f"jobs {{ nodes {{ {JOB} }} edges {{ node {{ {JOB} }} }} }}",
    "parent": f'job(id: "{ID}") {{ parent {{ {JOB} }} }}',
    "children": f'job(id: "{ID}") {{ children {{ nodes {{ {JOB} }} edges {{ node {{ {JOB} }} }} }} }}',
    "jobs of a batch": f'node(id: "batch:b") {{ ... on Batch {{ jobs {{ nodes {{ {JOB} }} }} }} }}',
    "aliases": "jobs { nodes { type: payload id: lastErrorMessage queue: result } }",
    "jobEvents": f"jobEvents {{ nodes {{ {EVENT} job {{ {JOB} }} }} edges {{ node {{ {EVENT} }} }} }}",
}
WRITES = {
    "IdempotencyConflict": (
        WRITER,
        f'createJob(input: {{type: "x", idempotencyKey: "key"}}) {{ ... on IdempotencyConflict {{ existing {{ {JOB} }} }} }}',
    ),
    "IdempotencyConflict of many": (
        WRITER,
        f'createJobs(input: [{{type: "x", idempotencyKey: "key"}}]) {{ ... on IdempotencyConflict {{ existing {{ {JOB} }} }} }}',
    ),
    "IllegalTransition": (
        WRITER,
        f'transitionJob(input: {{id: "{ID}", to: SUCCEEDED}}) {{ ... on IllegalTransition {{ job {{ {JOB} }} }} }}',
    ),
    "IllegalTransition of many": (
        WRITER,
        f'transitionJobs(input: [{{id: "{ID}", to: SUCCEEDED}}]) {{ ... on TransitionJobsPayload {{ results {{ ... on IllegalTransition {{ job {{ {JOB} }} }} }} }} }}',
    ),
    "recordJobEvent": (
        WRITER,
        f'recordJobEvent(input: {{id: "{ID}", detail: {{token: "{SECRET}"}}}}) {{ ... on JobEventPayload {{ event {{ {EVENT} job {{ {JOB} }} }} }} }}',
    ),
    "retryJob": (OPERATOR, f'retryJob(id: "{ID}") {{ ... on JobPayload {{ job {{ {JOB} }} }} }}'),
    "rerunJob": (
        OPERATOR,
        f'rerunJob(id: "{ID}") {{ ... on CreateJobPayload {{ job {{ {JOB} }} }} }}',
    ),
    "rescheduleJob": (
        OPERATOR,
        f'rescheduleJob(id: "{ID}") {{ ... on JobPayload {{ job {{ {JOB} }} }} }}',
    ),
    "a dry run": (
        OPERATOR,
        f'cancelJobs(filter: {{ids: ["{ID}"]}}, dryRun: true) {{ samples {{ {JOB} }} }}',
    ),
    "cancelJobs": (OPERATOR, f'cancelJobs(filter: {{ids: ["{ID}"]}}) {{ jobs {{ {JOB} }} }}'),
    "retryJobs": (OPERATOR, f'retryJobs(filter: {{ids: ["{ID}"]}}) {{ jobs {{ {JOB} }} }}'),
}


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [ROW], EVENTS)


def test_every_field_that_may_hold_secrets_is_declared_so() -> None:
    """JSON of any kind, and whatever is called a message of an error."""
    found = {
        f"{type_.name}.{name}": field.extensions["strawberry-definition"]
        for type_ in core_schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if get_named_type(field.type).name == "JSON" or name.lower().endswith("errormessage")
    }
    assert set(found) == {
        "Job.payload",
        "Job.result",
        "Job.lastErrorMessage",
        "JobAttempt.errorMessage",
        "JobEvent.detail",
    }
    for definition in found.values():
        resolver = definition.base_resolver
        assert resolver is not None
        assert resolver.wrapped_func.__module__ == "schema.redacted_fields"


@pytest.mark.parametrize("role", [VIEWER, WRITER, OPERATOR])
@pytest.mark.parametrize("name", READS)
async def test_a_read_hides_them(admin: Asking, name: str, role: Role) -> None:
    everything = orjson.dumps(await admin.data(f"{{ {READS[name]} }}"))
    hidden = orjson.dumps(await admin.as_(role).data(f"{{ {READS[name]} }}"))
    assert SECRET.encode() in everything
    assert b"[redacted]" not in everything
    assert SECRET.encode() not in hidden
    assert b"[redacted]" in hidden


async def test_what_is_no_secret_stays(admin: Asking) -> None:
    data = (await admin.as_(VIEWER).data(f"{{ {READS['job']} }}"))["job"]
    assert data["payload"] == SHOWN_DOCUMENT
    assert data["result"] == [SHOWN_DOCUMENT, SHOWN_URL]
    assert data["lastErrorMessage"] == SHOWN_MESSAGE
    assert data["attempts"] == [
        {"errorCode": '{"secret": "[redacted]"}', "errorMessage": SHOWN_MESSAGE}
    ]
    full = (await admin.data(f"{{ {READS['job']} }}"))["job"]
    assert (full["payload"], full["lastErrorMessage"]) == (DOCUMENT, MESSAGE)


@pytest.mark.parametrize("name", WRITES)
async def test_the_answer_of_a_write_hides_them(admin: Asking, name: str) -> None:
    role, call = WRITES[name]
    answer = orjson.dumps(await admin.as_(role).data(f"mutation {{ {call} }}"))
    assert SECRET.encode() not in answer
    assert b"[redacted]" in answer


async def test_what_a_writer_just_wrote_is_hidden_too(admin: Asking) -> None:
    create = """mutation ($input: CreateJobInput!) { createJob(input: $input) {
      ... on CreateJobPayload { created job { payload events { nodes { detail } } } } } }"""
    wanted = {"input": {"type": "new", "payload": DOCUMENT, "idempotencyKey": uuid4().hex}}
    for created in (True, False):
        answer = (await admin.as_(WRITER).data(create, wanted))["createJob"]
        assert (answer["created"], answer["job"]["payload"]) == (created, SHOWN_DOCUMENT)


async def test_the_patterns_are_those_of_the_setting(database_url: str) -> None:
    async with asking(database_url, redact_keys="to,error_code,last_error_message") as admin:
        query = f'{{ job(id: "{ID}") {{ payload lastErrorMessage attempts {{ errorCode }} }} }}'
        found = (await admin.as_(VIEWER).data(query))["job"]
        assert (found["payload"]["to"], found["payload"]["password"]) == ("[redacted]", SECRET)
        assert found["lastErrorMessage"] == "[redacted]"
        assert {each["errorCode"] for each in found["attempts"]} == {"[redacted]"}
        probe = '{ jobs(filter: {lastErrorMessage: {contains: "c"}}) { count { value } } }'
        assert (await admin.as_(VIEWER).error(probe))[0] == "FORBIDDEN"


async def told(responses: SubscriptionResponses) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        (response,) = await anext(responses)
    assert not response.errors
    return orjson.loads(dumps(response.body()))["data"]


@pytest.mark.parametrize(
    "query",
    [
        f'subscription {{ it: job(id: "%s") {{ {JOB} }} }}',
        f"subscription {{ it: jobEvents {{ node {{ {EVENT} job {{ {JOB} }} }} }} }}",
    ],
)
async def test_equal_subscriptions_of_unequal_roles_are_told_unequally(
    admin: Asking, database_url: str, query: str
) -> None:
    """Equal ones of one viewer share a response; each of these gets their own."""
    row, steps = secretive_job(1, status="running")
    await insert(database_url, [row], steps[:2])
    text = query % row["id"] if "%s" in query else query
    asked = [admin, admin.as_(VIEWER), admin, admin.as_(OPERATOR), admin.as_(VIEWER)]
    subscriptions = [await each.subscribe(text) for each in asked]
    record = f'mutation {{ recordJobEvent(input: {{id: "{row["id"]}", detail: {{secret: "{SECRET}"}}}}) {{ __typename }} }}'
    await admin.data(record)
    for each, responses in zip(asked, subscriptions, strict=True):
        assert isinstance(responses, SubscriptionResponses)
        answer = orjson.dumps(await told(responses))
        sees = each.viewer.may(ADMIN)
        assert (SECRET.encode() in answer, b"[redacted]" in answer) == (sees, not sees)
        await responses.aclose()
