"""Whose run a change ends, since when a job waits, and the order of a job's times."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.resolvers.live.rest import until_someone_waits
from tests.schema.test_writes import move, new_job, operate
from tests.support.ledger import events, insert, job
from tests.support.service import ORG, Service

DAYS = timedelta(days=1)
JOB = """query ($id: ID!) { job(id: $id) { status attempt waitSeconds createdAt queuedAt updatedAt
  startedAt finishedAt scheduledAt allowedTransitions events { nodes { ts seq: id } } } }"""
WAITING = """query ($f: JobFilter) {
  jobs(filter: $f) { nodes { id } }
  jobGroups(by: [STATUS], filter: $f) { wait { count min max } }
}"""


async def look(service: Service, job_id: str) -> Any:
    return (await service.query(JOB, {"id": job_id}))["job"]


async def old_failure(database_url: str, **values: Any) -> str:
    """A job that failed five days ago."""
    row = job(status="failed", attempt=1, created_at=datetime.now(UTC) - 5 * DAYS, **values)
    await insert(database_url, [row], events(row, "queued", "running", "failed"))
    return str(row["id"])


@pytest.mark.parametrize("way", ["retryJob", "retryJobs", "transitionJob", "given back"])
async def test_a_job_waits_from_when_it_was_queued_last(
    service: Service, database_url: str, way: str
) -> None:
    job_id = await old_failure(database_url, backoff_policy="none", type=way)
    if way == "retryJob":
        await operate(service, "retryJob", job_id)
    elif way == "retryJobs":
        query = 'mutation { retryJobs(filter: {type: {eq: "retryJobs"}}) { changed } }'
        assert (await service.query(query))["retryJobs"]["changed"] == 1
    else:
        await move(service, job_id, "QUEUED")
    if way == "given back":
        await move(service, job_id, "RUNNING")
        await move(service, job_id, "QUEUED")
    seen = await look(service, job_id)
    assert seen["queuedAt"] == seen["updatedAt"] > seen["createdAt"]
    assert seen["waitSeconds"] < 86_400
    narrow = {"ids": [job_id], "waitingLongerThan": 86_400}
    answer = await service.query(WAITING, {"f": narrow})
    assert answer == {"jobs": {"nodes": []}, "jobGroups": []}
    answer = await service.query(WAITING, {"f": {"ids": [job_id]}})
    (group,) = answer["jobGroups"]
    assert group["wait"]["count"] == 1
    assert group["wait"]["max"] < 86_400
    await move(service, job_id, "RUNNING")
    assert (await look(service, job_id))["waitSeconds"] < 86_400


async def test_a_retry_that_is_due_later_waits_from_then(
    service: Service, database_url: str
) -> None:
    job_id = await old_failure(database_url)
    await move(service, job_id, "QUEUED")
    seen = await look(service, job_id)
    assert seen["scheduledAt"] > seen["queuedAt"]
    assert seen["waitSeconds"] == 0


async def test_a_run_that_was_given_back_cannot_end_the_next(service: Service) -> None:
    job_id = await new_job(service)
    first = await move(service, job_id, "RUNNING", **{"from": "QUEUED"})
    assert first["job"]["attempt"] == 1
    # Taken for lost, given back, and started by another worker.
    await move(service, job_id, "QUEUED", attempt=1, **{"from": "RUNNING"})
    second = await move(service, job_id, "RUNNING", **{"from": "QUEUED"})
    assert second["job"]["attempt"] == 2
    for to in ("FAILED", "SUCCEEDED", "QUEUED", "CANCELED"):
        late = await move(service, job_id, to, attempt=1, **{"from": "RUNNING"})
        assert late["__typename"] == "IllegalTransition"
        assert (late["current"], late["allowed"]) == ("RUNNING", [])
        assert late["message"] == "The job is in attempt 2, not in attempt 1."
    done = await move(service, job_id, "SUCCEEDED", attempt=2, **{"from": "RUNNING"})
    assert done["__typename"] == "JobPayload"


async def test_an_attempt_that_is_null_or_far_away(service: Service) -> None:
    job_id = await new_job(service)
    for attempt in (-1, 1, 2**31 - 1):
        refused = await move(service, job_id, "RUNNING", attempt=attempt)
        assert refused["__typename"] == "IllegalTransition"
    started = await move(service, job_id, "RUNNING", attempt=None)
    assert started["__typename"] == "JobPayload"
    assert (await move(service, job_id, "FAILED", attempt=1))["__typename"] == "JobPayload"


async def test_times_follow_each_other_whatever_the_clocks_say(
    service: Service, database_url: str
) -> None:
    """Another writer's clock is an hour ahead."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    row = job(created_at=ahead, attempt=0, max_attempts=9)
    await insert(database_url, [row], events(row, "queued"))
    job_id = str(row["id"])
    for to in ("RUNNING", "FAILED", "QUEUED", "RUNNING", "QUEUED", "RUNNING", "SUCCEEDED"):
        await move(service, job_id, to)
        seen = await look(service, job_id)
        times = [seen[name] for name in ("createdAt", "queuedAt", "startedAt", "finishedAt")]
        in_order = [time for time in times if time is not None]
        if to != "FAILED":
            assert in_order == sorted(in_order)
        assert seen["updatedAt"] >= max(in_order)
        told = [each["ts"] for each in seen["events"]["nodes"]]
        assert told == sorted(told)
        assert told[-1] == seen["updatedAt"]


async def test_a_change_that_waited_for_another_comes_after_it(
    service: Service, database_url: str
) -> None:
    job_id = await new_job(service)
    note = "mutation ($id: ID!) { recordJobEvent(input: {id: $id, detail: {}}) { __typename } }"
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT FROM job WHERE id = $1 FOR UPDATE", UUID(job_id))
        waiting = [
            asyncio.ensure_future(move(service, job_id, "RUNNING")),
            asyncio.ensure_future(service.query(note, {"id": job_id})),
        ]
        await until_someone_waits(database_url, 2)
        later = datetime.now(UTC)
        await other.execute(
            "UPDATE job SET updated_at = $2, event_seq = 2 WHERE id = $1", UUID(job_id), later
        )
        await other.execute(
            "INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt)"
            " VALUES ($1, $2, 2, $3, 'queued', 'queued', 0)",
            UUID(ORG), UUID(job_id), later,
        )  # fmt: skip
    await other.close()
    await asyncio.gather(*waiting)
    seen = await look(service, job_id)
    told = [datetime.fromisoformat(each["ts"]) for each in seen["events"]["nodes"]]
    assert len(told) == 4
    assert told == sorted(told)
    assert datetime.fromisoformat(seen["startedAt"]) >= later


async def test_what_a_job_allows_is_what_its_mutations_do(service: Service) -> None:
    """`allowedTransitions` of an administrator, against attempts to change copies of the job."""
    ways: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "QUEUED": [],
        "RUNNING": [("RUNNING", {})],
        "SUCCEEDED": [("RUNNING", {}), ("SUCCEEDED", {})],
        "FAILED": [("RUNNING", {}), ("FAILED", {})],
        "CANCELED": [("CANCELED", {})],
        "DEAD_LETTER": [("RUNNING", {}), ("FAILED", {}), ("DEAD_LETTER", {})],
    }
    for status, steps in ways.items():
        for max_attempts in (1, 2):
            done = set()
            for to in ways:
                for operator in {"CANCELED": "cancelJob", "QUEUED": "retryJob"}.get(to), None:
                    job_id = await new_job(service, maxAttempts=max_attempts)
                    for step, fields in steps:
                        await move(service, job_id, step, **fields)
                    allowed = (await look(service, job_id))["allowedTransitions"]
                    answer = (
                        await operate(service, operator, job_id)
                        if operator
                        else await move(service, job_id, to)
                    )
                    if answer["__typename"] == "JobPayload":
                        done.add(to)
            assert set(allowed) == done, status
