"""Each adapter with the sample of its queue: Joblens answers what the sample says."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase
from tests.mirror.mirroring import copy, jobs_of
from tests.support.queues import SAMPLES, expected, needs_queues, restore
from tests.support.service import serving

# Joblens now counts a run from its start; when the samples were made, a note moved it.
NOTED_RUN = ("06b8e1bf-ffb5-8000-8000-00000000000e", "startedAt")


@needs_queues
@pytest.mark.parametrize("sample", SAMPLES)
async def test_it_is_answered_as_expected(
    sample: str, fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger, queue = await fresh_database(), await queue_database()
    await restore(queue, sample)
    await copy(ledger, queue, sample, SAMPLES[sample])
    async with serving(ledger) as service:
        assert_as_expected(await jobs_of(service), expected(sample))


def assert_as_expected(jobs: dict[str, Any], wanted: Any) -> None:
    assert len(jobs) == wanted["jobs"]
    assert counts(jobs, "status") == wanted["statusCounts"]
    assert counts(jobs, "queue") == wanted["byQueue"]
    assert counts(jobs, "lastErrorCode") == wanted["byLastErrorCode"]
    assert by_type(jobs) == wanted["byType"]
    for job in wanted["someJobs"]:
        assert told(jobs[job["id"]], job) == told(job, job)


@needs_queues
@pytest.mark.parametrize("sample", SAMPLES)
async def test_a_second_copy_changes_nothing(
    sample: str, fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger, queue = await fresh_database(), await queue_database()
    await restore(queue, sample)
    await copy(ledger, queue, sample, SAMPLES[sample])
    async with serving(ledger) as service:
        before = await jobs_of(service)
        await copy(ledger, queue, sample, SAMPLES[sample])
        assert await jobs_of(service) == before


def counts(jobs: dict[str, Any], name: str) -> dict[str, int]:
    return dict(Counter(str(job[name]) for job in jobs.values()))


def by_type(jobs: dict[str, Any]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for job in jobs.values():
        found[job["type"]][job["status"]] += 1
    return {name: dict(counted) for name, counted in found.items()}


def told(job: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    return {name: job[name] for name in like if (like["id"], name) != NOTED_RUN}
