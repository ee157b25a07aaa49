"""How long a failed job waits for its retry, by its policy and the settings."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from db.backoff import JITTER
from tests.schema.test_writes import move, new_job, operate
from tests.support.service import Service, serving

BASE_SECONDS, CAP_SECONDS = 40.0, 300.0
MICROSECOND = 1e-6
EVENT = """query ($id: ID!) { job(id: $id) { scheduledAt latestEvent { ts } } }"""


@pytest.fixture(scope="module")
async def patient(database_url: str) -> AsyncIterator[Service]:
    """A Joblens with its own base and cap."""
    given = {"backoff_base_seconds": str(BASE_SECONDS), "backoff_cap_seconds": str(CAP_SECONDS)}
    async with serving(database_url, **given) as running:
        yield running


async def waits(service: Service, times: int, **fields: Any) -> list[float | None]:
    """Fail and retry a job so many times; get the seconds that each retry was put off."""
    job_id = await new_job(service, maxAttempts=times + 1, **fields)
    found: list[float | None] = []
    for _ in range(times):
        await move(service, job_id, "RUNNING")
        await move(service, job_id, "FAILED")
        await move(service, job_id, "QUEUED")
        job = (await service.query(EVENT, {"id": job_id}))["job"]
        retried = datetime.fromisoformat(job["latestEvent"]["ts"])
        due = job["scheduledAt"]
        wait = due and (datetime.fromisoformat(due) - retried).total_seconds()
        found.append(wait)
    return found


def near(seconds: float) -> Any:
    return pytest.approx(seconds, rel=JITTER, abs=MICROSECOND)


async def test_none_is_due_at_once(patient: Service) -> None:
    assert await waits(patient, 2, backoffPolicy="NONE") == [None, None]


async def test_a_retry_at_once_forgets_what_was_scheduled(patient: Service) -> None:
    given = {"backoffPolicy": "NONE", "scheduledAt": "2026-01-01T00:00:00Z"}
    assert await waits(patient, 1, **given) == [None]


async def test_fixed_waits_the_base(patient: Service) -> None:
    assert await waits(patient, 4, backoffPolicy="FIXED") == [near(BASE_SECONDS)] * 4


async def test_exponential_doubles_up_to_the_cap(patient: Service) -> None:
    expected = [near(seconds) for seconds in (40, 80, 160, 300, 300)]
    assert await waits(patient, 5, backoffPolicy="EXPONENTIAL") == expected
    assert await waits(patient, 1) == expected[:1]


async def test_what_failed_together_does_not_return_together(patient: Service) -> None:
    found = [(await waits(patient, 1, backoffPolicy="FIXED"))[0] for _ in range(5)]
    assert len(set(found)) == 5


async def test_many_attempts_stay_at_the_cap(patient: Service, database_url: str) -> None:
    (*_, last) = await waits(patient, 70, backoffPolicy="EXPONENTIAL")
    assert last == near(CAP_SECONDS)


async def test_a_cap_below_the_base_holds_for_both(database_url: str) -> None:
    given = {"backoff_base_seconds": "60", "backoff_cap_seconds": "30"}
    async with serving(database_url, **given) as service:
        for policy in ("FIXED", "EXPONENTIAL"):
            assert await waits(service, 2, backoffPolicy=policy) == [near(30)] * 2


async def test_a_base_of_zero_is_due_at_once(database_url: str) -> None:
    async with serving(database_url, backoff_base_seconds="0") as service:
        assert await waits(service, 2) == [near(0)] * 2


@pytest.mark.parametrize("policy", ["FIXED", "EXPONENTIAL"])
async def test_only_a_workers_retry_waits(patient: Service, policy: str) -> None:
    job_id = await new_job(patient, backoffPolicy=policy)
    await move(patient, job_id, "RUNNING")
    assert (await move(patient, job_id, "QUEUED"))["job"]["scheduledAt"] is None
    await move(patient, job_id, "RUNNING")
    await move(patient, job_id, "FAILED")
    assert (await operate(patient, "retryJob", job_id))["job"]["scheduledAt"] is None
