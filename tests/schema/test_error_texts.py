"""Texts of errors: whatever they are, the failure is recorded; elsewhere such texts are refused."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from joblens import (
    InvalidJobError,
    JobRepository,
    JobStatus,
    session_scope,
)
from tests.resolvers.live.clients import socket
from tests.support.effort import examples
from tests.support.service import Service

LONGEST = {"code": 255, "message": 10_000}
HALF = "half of one: \ud83d"
NASTY = [
    "",
    "\0",
    "a\0b",
    HALF,
    "\udc00\ud83d",
    "😀" * 10_001,
    "x" * 300_000,
    "\x01\x7f\ufffe",
    "\\u0000",
]
CREATE = """mutation ($i: CreateJobInput!) { it: createJob(input: $i) {
  __typename ... on CreateJobPayload { job { id } } ... on InvalidInput { field message } } }"""
OUTCOME = """__typename ... on JobPayload { job { status lastErrorCode lastErrorMessage
  attempts { errorCode errorMessage } latestEvent { detail } } }
  ... on IllegalTransition { current } ... on InvalidInput { field message }"""
MOVE = f"mutation ($i: TransitionJobInput!) {{ it: transitionJob(input: $i) {{ {OUTCOME} }} }}"
RECORD = """mutation ($i: RecordJobEventInput!) { it: recordJobEvent(input: $i) {
  __typename ... on JobEventPayload { event { detail } } ... on InvalidInput { field } } }"""


async def it(service: Service, query: str, **fields: Any) -> Any:
    return (await service.query(query, {"i": fields}))["it"]


async def running(service: Service) -> str:
    job_id: str = (await it(service, CREATE, type="t"))["job"]["id"]
    assert (await it(service, MOVE, id=job_id, to="RUNNING"))["__typename"] == "JobPayload"
    return job_id


def check(kept: str | None, text: str, longest: int) -> None:
    """Say that of a text stays what can be kept."""
    if not text:
        assert kept is None
        return
    assert kept is not None
    said = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    if len(said) <= longest:
        assert kept == said
        return
    head, tail = kept.split("… [shortened] …")
    assert len(kept) == longest
    assert said.startswith(head)
    assert said.endswith(tail)
    assert len(head) > len(tail) > 0


@pytest.mark.parametrize("text", NASTY)
async def test_a_failure_is_recorded_whatever_its_words(service: Service, text: str) -> None:
    job_id = await running(service)
    error = {"errorCode": text, "errorMessage": text}
    failed = await it(service, MOVE, id=job_id, to="FAILED", **{"from": "RUNNING"}, **error)
    job = failed["job"]
    assert job["status"] == "FAILED"
    check(job["lastErrorCode"], text, LONGEST["code"])
    check(job["lastErrorMessage"], text, LONGEST["message"])
    (attempt,) = job["attempts"]
    assert (attempt["errorCode"], attempt["errorMessage"]) == (
        job["lastErrorCode"],
        job["lastErrorMessage"],
    )


@pytest.mark.parametrize("text", NASTY)
async def test_the_error_in_a_detail_is_one_too(service: Service, text: str) -> None:
    job_id = await running(service)
    detail = {"error_code": text, "error_message": text, "n": 1}
    noted = await it(service, RECORD, id=job_id, detail=detail)
    failed = await it(service, MOVE, id=job_id, to="FAILED", detail=detail)
    for kept in (noted["event"]["detail"], failed["job"]["latestEvent"]["detail"]):
        check(kept["error_code"], text, LONGEST["code"])
        check(kept["error_message"], text, LONGEST["message"])


@pytest.mark.parametrize("text", NASTY)
async def test_a_reason_is_one_too(service: Service, text: str) -> None:
    ids = [await running(service) for _ in range(2)]
    one = (
        f"mutation ($id: ID!, $r: String) {{ it: cancelJob(id: $id, reason: $r) {{ {OUTCOME} }} }}"
    )
    many = """mutation ($id: ID!, $r: String) {
      it: cancelJobs(filter: {ids: [$id]}, reason: $r) { jobs { latestEvent { detail } } } }"""
    for query, job_id in ((one, ids[0]), (many, ids[1])):
        answer = (await service.query(query, {"id": job_id, "r": text}))["it"]
        (job,) = answer["jobs"] if "jobs" in answer else [answer["job"]]
        check(job["latestEvent"]["detail"].get("reason"), text, LONGEST["message"])


@pytest.mark.parametrize("text", ["a\0b", HALF])
async def test_elsewhere_such_text_is_refused(service: Service, text: str) -> None:
    for field, value in (
        ("type", text), ("queue", text), ("idempotencyKey", text), ("requestedBy", text),
        ("payload", text), ("payload", {"in": [{text: 1}]}),
    ):  # fmt: skip
        refused = await it(service, CREATE, **{"type": "t", field: value})
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    job_id = await running(service)
    for field, value in (("result", [text]), ("detail", {"note": text}), ("detail", {text: 1})):
        refused = await it(
            service, MOVE, id=job_id, to="FAILED", errorMessage=text, **{field: value}
        )
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    failed = await it(service, MOVE, id=job_id, to="FAILED", errorMessage=text)
    assert failed["job"]["status"] == "FAILED"


USES = {
    "a filter": ("query ($v: String) { jobs(filter: {type: {eq: $v}}) { nodes { id } } }", HALF),
    "JSON": ("query ($v: JSON) { jobs(filter: {payloadContains: $v}) { nodes { id } } }", {HALF: 1}),
    "an id": ("query ($v: ID!) { job(id: $v) { id } }", HALF),
    "an id of a mutation": ("mutation ($v: ID!) { cancelJob(id: $v) { __typename } }", HALF),
    "a cursor": ("query ($v: String) { jobs(after: $v) { nodes { id } } }", HALF),
    "an enum": ("query ($v: JobStatus!) { jobs(filter: {status: [$v]}) { nodes { id } } }", HALF),
    "an enum of a mutation": (
        'mutation ($v: JobStatus!) { transitionJob(input: {id: "x", to: $v}) { __typename } }', HALF,
    ),
    "a name": ("mutation ($v: CreateJobInput!) { createJob(input: $v) { __typename } }", {HALF: 1}),
    "a number": ("mutation ($v: CreateJobInput!) { createJob(input: $v) { __typename } }",
                 {"type": "t", "priority": HALF}),
    "a time": ("mutation ($v: CreateJobInput!) { createJob(input: $v) { __typename } }",
               {"type": "t", "scheduledAt": HALF}),
    "nothing": ("query { viewer { subject } }", HALF),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
async def test_half_of_a_pair_is_refused_wherever_it_is_used(service: Service, use: str) -> None:
    query, value = USES[use]
    errors = await service.errors(query, {"v": value})
    assert {error["extensions"]["code"] for error in errors} <= {"BAD_REQUEST", "BAD_USER_INPUT"}


@pytest.mark.parametrize("use", USES)
async def test_in_a_websocket_it_ends_its_operation_alone(service: Service, use: str) -> None:
    query, value = USES[use]
    async with socket(service) as client:
        await client.init()
        await client.subscribe("1", query, v=value)
        answer = await client.receive()
        assert (answer["id"], answer["type"]) in {("1", "error"), ("1", "next")}
        if answer["type"] == "next":
            assert answer["payload"]["errors"]
            assert await client.receive() == {"id": "1", "type": "complete"}
        assert await client.ask("2", "{ viewer { subject } }")


async def test_a_websocket_records_a_failure_too(service: Service) -> None:
    job_id = await running(service)
    async with socket(service) as client:
        await client.init()
        wanted = {"id": job_id, "to": "FAILED", "errorMessage": HALF}
        job = (await client.ask("1", MOVE, i=wanted))["it"]["job"]
    check(job["lastErrorMessage"], HALF, LONGEST["message"])


any_text = st.text(
    st.characters(categories=["L", "M", "N", "P", "S", "Z", "C", "Cs"]), max_size=400
)


@examples(60, suppress_health_check=list(HealthCheck))
@given(code=st.none() | any_text, message=st.none() | any_text.map(lambda text: text * 100))
async def test_workers_in_python_record_any_failure(
    engine: AsyncEngine, code: str | None, message: str | None
) -> None:
    async with session_scope(uuid4(), engine=engine) as session:
        repository = JobRepository(session, by="worker")
        job_id = (await repository.create_job("t")).job.id
        await repository.update_job_status(job_id, JobStatus.RUNNING)
        detail = {"error_code": code, "error_message": message}
        await repository.log_job_event(job_id, detail)
        failed = await repository.update_job_status(
            job_id, JobStatus.FAILED, error_code=code, error_message=message, detail=detail
        )
    check(failed.last_error_code, code or "", LONGEST["code"])
    check(failed.last_error_message, message or "", LONGEST["message"])


async def test_an_error_of_another_type_is_put_into_words(engine: AsyncEngine) -> None:
    async with session_scope(uuid4(), engine=engine) as session:
        repository = JobRepository(session)
        job_id = (await repository.create_job("t")).job.id
        await repository.update_job_status(job_id, JobStatus.RUNNING)
        code: Any = 503
        error: Any = ValueError("broken")
        failed = await repository.update_job_status(
            job_id, JobStatus.FAILED, error_code=code, error_message=error
        )
    assert (failed.last_error_code, failed.last_error_message) == ("503", "broken")


@pytest.mark.parametrize("by", ["a\0b", HALF])
async def test_a_name_that_cannot_be_kept_is_refused_at_once(engine: AsyncEngine, by: str) -> None:
    async with session_scope(uuid4(), engine=engine) as session:
        with pytest.raises(InvalidJobError, match="by"):
            JobRepository(session, by=by)
