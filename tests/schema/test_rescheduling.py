"""`rescheduleJob`: when a queued job is due, and its priority."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from joblens import JobRepository, session_scope
from tests.resolvers.live.clients import stream
from tests.schema.test_writes import CREATE, create, new_job
from tests.support.ledger import insert, job
from tests.support.service import ORG, OTHER_ORG, Service

RESULT = """__typename
  ... on JobPayload { job { id status priority scheduledAt queuedAt updatedAt waitSeconds
    latestEvent { prevStatus nextStatus attempt detail } } }
  ... on JobNotFound { jobId }
  ... on IllegalTransition { current requested allowed message job { id priority } }"""
RESCHEDULE = f"""mutation ($id: ID!, $at: DateTime, $priority: Int, $reason: String) {{
  it: rescheduleJob(id: $id, at: $at, priority: $priority, reason: $reason) {{ {RESULT} }} }}"""
LATER, PAST = "2040-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"


async def reschedule(service: Service, job_id: str, **given: Any) -> Any:
    return (await service.query(RESCHEDULE, {"id": job_id, **given}))["it"]


async def test_the_event_tells_what_was_and_what_is(service: Service) -> None:
    job_id = await new_job(service, priority=2)
    answer = await reschedule(service, job_id, at=LATER, priority=-1, reason="quota")
    changed = answer["job"]
    assert (changed["status"], changed["priority"]) == ("QUEUED", -1)
    assert datetime.fromisoformat(changed["scheduledAt"]) == datetime.fromisoformat(LATER)
    assert changed["latestEvent"] == {
        "prevStatus": "QUEUED",
        "nextStatus": "QUEUED",
        "attempt": 0,
        "detail": {
            "by": "anonymous",
            "reason": "quota",
            "rescheduled": {
                "from": {"scheduled_at": None, "priority": 2},
                "to": {"scheduled_at": LATER, "priority": -1},
            },
        },
    }


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        (LATER, {"priority": 3}, LATER),
        (LATER, {"priority": 3, "at": None}, "now"),
        (LATER, {}, "now"),
        (LATER, {"at": None}, "now"),
        # It is due already, and its wait goes on.
        (PAST, {}, PAST),
        (None, {}, None),
        (None, {"at": PAST}, PAST),
        (LATER, {"at": PAST}, PAST),
        (None, {"at": "9999-12-31T23:59:59.999999+00:00"}, "9999-12-31T23:59:59.999999+00:00"),
    ],
)
async def test_the_time(
    service: Service, stored: str | None, given: dict[str, Any], expected: str | None
) -> None:
    job_id = await new_job(service, scheduledAt=stored)
    before = datetime.now(UTC)
    changed = (await reschedule(service, job_id, **given))["job"]
    time = changed["scheduledAt"] and datetime.fromisoformat(changed["scheduledAt"])
    if expected == "now":
        assert before <= time <= datetime.fromisoformat(changed["updatedAt"])
        # The wait is that since it is due.
        assert changed["waitSeconds"] <= (datetime.now(UTC) - before).total_seconds()
    else:
        assert time == (expected and datetime.fromisoformat(expected))


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "canceled", "dead_letter"])
async def test_only_a_queued_job_can_be_rescheduled(
    service: Service, database_url: str, status: str
) -> None:
    row = job(status=status, attempt=1)
    await insert(database_url, [row])
    job_id = str(row["id"])
    assert await reschedule(service, job_id, priority=9) == {
        "__typename": "IllegalTransition",
        "current": status.upper(),
        "requested": "QUEUED",
        "allowed": [],
        "message": f"Only a job that is QUEUED can be rescheduled; this one is {status.upper()}.",
        "job": {"id": job_id, "priority": 0},
    }


async def test_a_job_without_room_for_events_stays(service: Service, database_url: str) -> None:
    row = job(event_seq=2**31 - 1)
    await insert(database_url, [row])
    assert (await reschedule(service, str(row["id"])))["__typename"] == "IllegalTransition"


async def test_a_job_that_does_not_exist_or_is_not_ours(
    service: Service, database_url: str
) -> None:
    theirs = job(org_id=UUID(OTHER_ORG))
    await insert(database_url, [theirs])
    for job_id in (str(uuid4()), str(theirs["id"])):
        answer = await reschedule(service, job_id)
        assert answer == {"__typename": "JobNotFound", "jobId": job_id}
    (error,) = await service.errors(RESCHEDULE, {"id": "x"})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_workers_get_it_when_it_is_due_and_by_its_priority(
    service: Service, engine: AsyncEngine
) -> None:
    type_ = uuid4().hex
    first, second, third = [
        await new_job(service, type=type_, scheduledAt=at) for at in (None, None, LATER)
    ]

    async def due() -> list[str]:
        async with session_scope(UUID(ORG), engine=engine) as session:
            rows = await JobRepository(session).get_queued_jobs(10, type=type_)
        return [str(row.id) for row in rows]

    assert await due() == [first, second]
    await reschedule(service, second, priority=1)
    await reschedule(service, third)
    assert await due() == [second, first, third]
    await reschedule(service, first, at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert await due() == [second, third]


async def test_a_subscription_tells_of_it(service: Service) -> None:
    job_id = await new_job(service)
    query = f'subscription {{ job(id: "{job_id}") {{ priority scheduledAt }} }}'
    async with stream(service, query) as watched:
        _, body = await watched.event()
        assert body["data"]["job"] == {"priority": 0, "scheduledAt": None}
        await reschedule(service, job_id, at=LATER, priority=4)
        _, body = await watched.event()
        assert body["data"]["job"]["priority"] == 4
        assert datetime.fromisoformat(body["data"]["job"]["scheduledAt"]).year == 2040


async def test_a_repeated_creation_finds_the_job_under_its_first_priority(service: Service) -> None:
    key = uuid4().hex
    job_id = (await create(service, idempotencyKey=key, priority=1))["job"]["id"]
    for priority in (5, 6):
        await reschedule(service, job_id, priority=priority)
    for priority in (1, 6):
        again = await create(service, idempotencyKey=key, priority=priority)
        assert (again["created"], again["job"]["id"]) == (False, job_id)
    for priority in (0, 5):
        other = await create(service, idempotencyKey=key, priority=priority)
        assert other["__typename"] == "IdempotencyConflict"


@pytest.mark.parametrize(
    "detail", [{"rescheduled": 1}, {"rescheduled": {"from": {"priority": "x"}}}]
)
async def test_a_detail_that_only_looks_like_one_does_no_harm(
    service: Service, detail: dict[str, Any]
) -> None:
    key = uuid4().hex
    job_id = (await create(service, idempotencyKey=key))["job"]["id"]
    note = "mutation ($i: RecordJobEventInput!) { recordJobEvent(input: $i) { __typename } }"
    await service.query(note, {"i": {"id": job_id, "detail": detail}})
    given = {"type": "t", "idempotencyKey": key}
    assert (await service.query(CREATE, {"input": given}))["createJob"]["created"] is False
    other = (await service.query(CREATE, {"input": {**given, "priority": 1}}))["createJob"]
    assert other["__typename"] == "IdempotencyConflict"
