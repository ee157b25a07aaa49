"""Waits and runs of which a source did not report both ends: they are not known, nor counted."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.tallies.durations import Kind
from db.tallies.keys import ALL
from db.tallies.spans import Span
from tests.support.facts import fact
from tests.support.queue_model import summed
from tests.support.service import Service

RECORD = """mutation ($facts: [FactInput!]!) {
  recordFacts(source: {name: "shop", kind: "solid_queue"}, facts: $facts) {
    faults { index message } } }"""
LASTED = """{ jobs { nodes {
  externalId startedAt finishedAt waitSeconds runSeconds
  attempts { startedAt isExact runSeconds } } } }"""
STATISTICS = """{
  jobGroups(by: [QUEUE]) { wait { count max } run { count max } }
  timeline(from: "2026-05-01T10:00:00Z", until: "2026-05-01T11:00:00Z", bucket: HOUR) {
    wait { count max } run { count max } }
  known: jobs(filter: {runSeconds: {gte: 0}}) { nodes { externalId } }
  unknown: jobs(filter: {not: {runSeconds: {gte: 0}}}) { nodes { externalId } }
  waited: jobs(filter: {waitSeconds: {lt: 100}}) { nodes { externalId } } }"""


FACTS = [
    # All is reported: it waited for 2 s and ran for 4.
    fact("whole", 1, "QUEUED"),
    fact("whole", 3, "RUNNING"),
    fact("whole", 7, "SUCCEEDED"),
    # The start is not.
    fact("no start", 1, "QUEUED"),
    fact("no start", 30, "SUCCEEDED"),
    fact("failed", 1, "QUEUED"),
    fact("failed", 40, "FAILED"),
    # It is near.
    fact("near", 1, "QUEUED"),
    fact("near", 20, "RUNNING", attempt=1, isExact=False),
    fact("near", 30, "FAILED", attempt=1),
    # The start is all of the beginning.
    fact("no wait", 5, "RUNNING"),
    fact("no wait", 6, "SUCCEEDED"),
    # Of the runs only the second one is whole.
    fact("twice", 1, "QUEUED"),
    fact("twice", 9, "FAILED", attempt=1),
    fact("twice", 9, "QUEUED", attempt=1),
    fact("twice", 12, "RUNNING", attempt=2),
    fact("twice", 15, "SUCCEEDED", attempt=2),
]


async def recorded(service: Service, org: UUID, facts: list[dict[str, Any]]) -> None:
    data = await service.query(RECORD, {"facts": facts}, Joblens_Org=str(org))
    assert data["recordFacts"]["faults"] == []


async def test_they_are_not_known(service: Service) -> None:
    org = uuid4()
    await recorded(service, org, FACTS)
    found = (await service.query(LASTED, Joblens_Org=str(org)))["jobs"]["nodes"]
    lasted = {job["externalId"]: (job["waitSeconds"], job["runSeconds"]) for job in found}
    assert lasted == {
        "whole": (2, 4),
        "no start": (None, None),
        "failed": (None, None),
        "near": (None, None),
        "no wait": (None, 1),
        "twice": (3, 3),
    }
    attempts = {
        job["externalId"]: [(each["isExact"], each["runSeconds"]) for each in job["attempts"]]
        for job in found
    }
    assert attempts == {
        "whole": [(True, 4)],
        "no start": [(False, None)],
        "failed": [(False, None)],
        "near": [(False, None)],
        "no wait": [(True, 1)],
        "twice": [(False, None), (True, 3)],
    }


@pytest.mark.parametrize("with_tallies", [False, True], ids=["no tallies", "tallies"])
async def test_they_are_not_counted(
    service: Service, database_url: str, with_tallies: bool
) -> None:
    org = uuid4()
    await recorded(service, org, FACTS)
    if with_tallies:
        await summed(database_url, org)
    await assert_counted(service, org, with_tallies=with_tallies)


async def test_a_late_fact_makes_one_known(service: Service, database_url: str) -> None:
    org = uuid4()
    late = fact("whole", 3, "RUNNING")
    await recorded(service, org, [each for each in FACTS if each != late])
    await summed(database_url, org)
    await recorded(service, org, [late])
    await summed(database_url, org)
    await assert_counted(service, org, with_tallies=True)


async def test_they_are_not_summed_beside_jobs_of_no_source(
    service: Service, database_url: str
) -> None:
    org = uuid4()
    for _ in range(5):
        await service.query(
            'mutation { createJob(input: {type: "own"}) { __typename } }', Joblens_Org=str(org)
        )
    await recorded(service, org, FACTS)
    await summed(database_url, org)
    connection = await asyncpg.connect(database_url)
    sketched = await connection.fetch(
        "SELECT kind, sum(durations) FROM tally_duration, unnest(counts) AS durations"
        " WHERE org_id = $1 AND span = $2 AND key_id = $3 GROUP BY kind",
        org,
        Span.DAY,
        ALL,
    )
    await connection.close()
    assert dict(map(tuple, sketched)) == {Kind.WAIT: 2, Kind.RUN: 3}


async def assert_counted(service: Service, org: UUID, *, with_tallies: bool) -> None:
    data = await service.query(STATISTICS, Joblens_Org=str(org))
    ids = {
        name: {job["externalId"] for job in data[name]["nodes"]}
        for name in ("known", "unknown", "waited")
    }
    known = {"whole", "no wait", "twice"}
    assert ids == {
        "known": known,
        "unknown": {"no start", "failed", "near"},
        "waited": {"whole", "twice"},
    }
    (group,), (hour,) = data["jobGroups"], data["timeline"]
    # A group has the last wait and run of each job, the timeline all of them.
    assert (group["wait"], group["run"]) == ({"count": 2, "max": 3}, {"count": 3, "max": 4})
    assert (hour["wait"]["count"], hour["run"]["count"]) == (2, 3)
    assert hour["wait"]["max"] == pytest.approx(3)
    assert hour["run"]["max"] == pytest.approx(4)
