"""`Job.at`: what a job was at a time, against a plain reading of its events."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.support.ledger import EPOCH, events, insert, job
from tests.support.service import Service

AT = """query ($ids: [ID!]!, $time: DateTime!) { jobs(filter: {ids: $ids}, first: 200) { nodes {
  id at(time: $time) { status attempt since } } } }"""
SECOND = timedelta(seconds=1)
LIVES = [
    ("queued", "canceled"),
    ("queued", "queued", "running", "running", "running", "succeeded"),
    ("queued", "running", "failed", "queued", "running", "queued", "running", "dead_letter"),
    ("queued", "running", "failed", "failed"),
    (),
]


def moment(steps: list[dict[str, Any]], time: datetime) -> Any:
    """Go through a job's events up to a time."""
    found = None
    for step in steps:
        if step["ts"] <= time and step["prev_status"] != step["next_status"]:
            found = {
                "status": step["next_status"].upper(),
                "attempt": step["attempt"],
                "since": step["ts"],
            }
    return found


@pytest.fixture(scope="module")
async def histories(database_url: str) -> dict[str, list[dict[str, Any]]]:
    random = Random(1)
    rows = [job(random.randrange(3), type="moments") for _ in range(60)]
    steps = {str(row["id"]): events(row, *random.choice(LIVES)) for row in rows}
    await insert(database_url, rows, [step for each in steps.values() for step in each])
    return steps


async def ask(service: Service, ids: list[str], time: datetime) -> dict[str, Any]:
    data = await service.query(AT, {"ids": ids, "time": time.isoformat()})
    found = {node["id"]: node["at"] for node in data["jobs"]["nodes"]}
    assert set(found) == set(ids)
    for told in found.values():
        if told is not None:
            told["since"] = datetime.fromisoformat(told["since"])
    return found


@pytest.mark.parametrize("seconds", [-1, 0, 9.999999, 10, 10.000001, 30, 65, 130, 185, 10_000])
async def test_a_job_was_what_its_events_tell(
    service: Service, histories: dict[str, list[dict[str, Any]]], seconds: float
) -> None:
    time = EPOCH + seconds * SECOND
    found = await ask(service, list(histories), time)
    assert found == {id_: moment(steps, time) for id_, steps in histories.items()}
    # The counts of the same time say the same.
    query = """query ($at: DateTime!) {
      statusCounts(filter: {type: {eq: "moments"}}, at: $at) { status count { value } } }"""
    counted = (await service.query(query, {"at": time.isoformat()}))["statusCounts"]
    told = Counter(each["status"] for each in found.values() if each is not None)
    assert {each["status"]: each["count"]["value"] for each in counted} == {
        each["status"]: told[each["status"]] for each in counted
    }


async def test_the_future_is_now(service: Service, database_url: str) -> None:
    """Also for an event that another clock has dated later than ours."""
    ahead = datetime.now(UTC) + timedelta(days=1)
    row = job(created_at=ahead, updated_at=ahead)
    await insert(database_url, [row], events(row, "queued"))
    told = await ask(service, [str(row["id"])], ahead - timedelta(hours=1))
    assert told[str(row["id"])]["status"] == "QUEUED"
    assert (await ask(service, [str(row["id"])], EPOCH)) == {str(row["id"]): None}


async def test_two_times_are_told_side_by_side(service: Service, database_url: str) -> None:
    row = job(id=uuid4())
    await insert(database_url, [row], events(row, "queued", "running", "failed"))
    query = """query ($id: ID!) { job(id: $id) {
      before: at(time: "2026-01-01T00:00:15Z") { status attempt }
      after: at(time: "2026-01-01T00:00:20Z") { status attempt }
      never: at(time: "0001-01-01T00:00:00Z") { status }
      always: at(time: "9999-12-31T23:59:59.999999Z") { status } } }"""
    assert (await service.query(query, {"id": str(row["id"])}))["job"] == {
        "before": {"status": "RUNNING", "attempt": 1},
        "after": {"status": "FAILED", "attempt": 1},
        "never": None,
        "always": {"status": "FAILED"},
    }
