"""`rerunJob`: a new job, copied where the old one is stored."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.resolvers.roles.asking import ADMIN, OPERATOR, Asking, asking
from tests.resolvers.roles.secrets import DOCUMENT, SECRET, SHOWN_DOCUMENT, secretive_job
from tests.support.ledger import insert, job
from tests.support.service import OTHER_ORG, Service

RERUN = """mutation ($id: ID!, $payload: JSON, $queue: String, $priority: Int, $reason: String) {
  it: rerunJob(id: $id, payload: $payload, queue: $queue, priority: $priority, reason: $reason) {
    __typename
    ... on CreateJobPayload { created job { id type queue status priority attempt maxAttempts
      backoffPolicy idempotencyKey requestedBy payload result lastErrorCode scheduledAt startedAt
      finishedAt events { nodes { prevStatus nextStatus attempt detail } } } }
    ... on JobNotFound { jobId }
    ... on InvalidInput { field }
  } }"""
PAYLOAD = "query ($id: ID!) { job(id: $id) { payload } }"


async def rerun(asked: Asking, job_id: Any, **given: Any) -> Any:
    return (await asked.data(RERUN, {"id": str(job_id), **given}))["it"]


async def test_a_copy_has_the_input_and_nothing_of_the_run(
    service: Service, database_url: str
) -> None:
    old, events = secretive_job(
        type="t",
        queue="q",
        priority=3,
        max_attempts=7,
        backoff_policy="fixed",
        requested_by="me",
        idempotency_key="k",
        payload={"n": [0.10, None]},
    )
    await insert(database_url, [old], events)
    answer = (await service.query(RERUN, {"id": str(old["id"]), "reason": "again"}))["it"]
    assert (answer["__typename"], answer["created"]) == ("CreateJobPayload", True)
    copy = answer["job"]
    assert copy.pop("id") != str(old["id"])
    assert copy == {
        "type": "t",
        "queue": "q",
        "status": "QUEUED",
        "priority": 3,
        "attempt": 0,
        "maxAttempts": 7,
        "backoffPolicy": "FIXED",
        "idempotencyKey": None,
        "requestedBy": "me",
        "payload": {"n": [0.1, None]},
        "result": None,
        "lastErrorCode": None,
        "scheduledAt": None,
        "startedAt": None,
        "finishedAt": None,
        "events": {
            "nodes": [
                {
                    "prevStatus": None,
                    "nextStatus": "QUEUED",
                    "attempt": 0,
                    "detail": {"by": "anonymous", "reason": "again", "rerun_of": str(old["id"])},
                }
            ]
        },
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"payload": {"a": 2}}, {"payload": {"a": 2}}),
        ({"payload": 0}, {"payload": 0}),
        ({"payload": False}, {"payload": False}),
        ({"payload": None, "queue": None, "priority": None}, {}),
        ({"queue": "slow", "priority": 0}, {"queue": "slow", "priority": 0}),
    ],
)
async def test_what_is_given_replaces_what_was(
    service: Service, database_url: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    old = job(payload={"a": 1, "b": 1}, priority=5)
    await insert(database_url, [old])
    copy = (await service.query(RERUN, {"id": str(old["id"]), **given}))["it"]["job"]
    kept = {"payload": {"a": 1, "b": 1}, "queue": "default", "priority": 5}
    assert {name: copy[name] for name in kept} == {**kept, **expected}


@pytest.mark.parametrize(
    ("given", "field"),
    [({"queue": ""}, "queue"), ({"queue": "x" * 256}, "queue"), ({"payload": ["\0"]}, "payload")],
)
async def test_what_cannot_be_stored_is_refused(
    service: Service, database_url: str, given: dict[str, Any], field: str
) -> None:
    old = job()
    await insert(database_url, [old])
    answer = (await service.query(RERUN, {"id": str(old["id"]), **given}))["it"]
    assert answer == {"__typename": "InvalidInput", "field": field}


async def test_a_job_that_does_not_exist_or_is_not_ours(
    service: Service, database_url: str
) -> None:
    theirs = job(org_id=UUID(OTHER_ORG))
    await insert(database_url, [theirs])
    for job_id in (str(uuid4()), str(theirs["id"])):
        answer = (await service.query(RERUN, {"id": job_id}))["it"]
        assert answer == {"__typename": "JobNotFound", "jobId": job_id}
    (error,) = await service.errors(RERUN, {"id": "x"})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_hidden_values_are_copied_and_stay_hidden(database_url: str) -> None:
    old, events = secretive_job()
    await insert(database_url, [old], events)
    async with asking(database_url) as admin:
        copy = (await rerun(admin.as_(OPERATOR), old["id"]))["job"]
        assert copy["payload"] == SHOWN_DOCUMENT
        assert SECRET not in repr(copy)
        assert (await admin.data(PAYLOAD, {"id": copy["id"]}))["job"]["payload"] == DOCUMENT
        # What is given is stored as it is given, as `createJob` does.
        shown = (await rerun(admin.as_(OPERATOR), old["id"], payload=SHOWN_DOCUMENT))["job"]
        assert (await admin.data(PAYLOAD, {"id": shown["id"]}))["job"]["payload"] == SHOWN_DOCUMENT


async def test_what_is_hidden_makes_no_difference(database_url: str) -> None:
    """Whether a payload that is given equals the hidden one, nothing tells: statements, or answer."""
    old, events = secretive_job()
    await insert(database_url, [old], events)
    async with asking(database_url) as admin:
        told = []
        for guess in (DOCUMENT, {**DOCUMENT, "password": "wrong"}):
            operator = admin.as_(OPERATOR)
            with operator.recorded() as statements:
                copy = (await rerun(operator, old["id"], payload=guess))["job"]
            copy.pop("id")
            told.append((copy, statements))
        assert told[0] == told[1]
        assert admin.viewer.may(ADMIN)
