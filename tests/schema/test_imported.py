"""Histories of other queues, as the API shows them."""

from typing import Any
from uuid import uuid4

import orjson

from db.transfer import import_records
from tests.support.service import Service

DAY = "2026-01-01T0{}:00:00Z"
SHOWN = """{
  jobs { nodes { status attempt maxAttempts createdAt startedAt finishedAt waitSeconds runSeconds
    attempts { number startedAt finishedAt outcome } } }
  timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: DAY) {
    created started succeeded failed canceled deadLettered }
}"""


def event(hour: int, before: str | None, after: str, **fields: Any) -> dict[str, Any]:
    return {"ts": DAY.format(hour), "prev_status": before, "next_status": after, **fields}


async def shown(service: Service, database_url: str, *events: dict[str, Any], **fields: Any) -> Any:
    """Import one job, and get what is shown of it, and of the day."""
    org = uuid4()
    status = events[-1]["next_status"]
    record = {"type": "t", "status": status, "created_at": DAY.format(0), "events": events}
    report = await import_records(database_url, org, [orjson.dumps(record | fields)])
    assert report.imported == 1
    answer = await service.query(SHOWN, Joblens_Org=str(org))
    (job,), (day,) = answer["jobs"]["nodes"], answer["timeline"]
    return job, {name: count for name, count in day.items() if count}


async def test_a_worker_that_was_lost(service: Service, database_url: str) -> None:
    job, day = await shown(
        service,
        database_url,
        event(0, None, "queued"),
        event(1, "queued", "running"),
        event(2, "running", "running", detail={"progress": 0.5}),
        event(3, "running", "running", attempt=2),
        event(4, "running", "succeeded"),
    )
    assert (job["attempt"], job["startedAt"], job["runSeconds"]) == (2, DAY.format(3), 3600)
    assert job["attempts"] == [
        {"number": 1, "startedAt": DAY.format(1), "finishedAt": DAY.format(3), "outcome": "QUEUED"},
        {
            "number": 2,
            "startedAt": DAY.format(3),
            "finishedAt": DAY.format(4),
            "outcome": "SUCCEEDED",
        },
    ]
    assert day == {"created": 1, "started": 2, "succeeded": 1}


async def test_a_history_that_begins_late(service: Service, database_url: str) -> None:
    job, day = await shown(service, database_url, event(3, None, "running", attempt=4))
    assert (job["attempt"], job["startedAt"], job["waitSeconds"]) == (4, DAY.format(3), 3 * 3600)
    assert [attempt["number"] for attempt in job["attempts"]] == [4]
    assert day == {"created": 1, "started": 1}
    times = {"started_at": DAY.format(1), "attempt": 2, "max_attempts": 1}
    job, day = await shown(service, database_url, event(3, None, "succeeded"), **times)
    assert (job["attempt"], job["maxAttempts"], job["runSeconds"]) == (2, 2, 2 * 3600)
    assert day == {"created": 1, "succeeded": 1}


async def test_times_that_disagree(service: Service, database_url: str) -> None:
    life = [event(1, None, "queued"), event(2, "queued", "running"), event(4, "running", "failed")]
    late = {"created_at": DAY.format(5), "started_at": DAY.format(6), "finished_at": DAY.format(7)}
    job, _ = await shown(service, database_url, *life, event(5, "failed", "dead_letter"), **late)
    times = (job["createdAt"], job["startedAt"], job["finishedAt"])
    assert times == (DAY.format(1), DAY.format(2), DAY.format(4))
    assert (job["waitSeconds"], job["runSeconds"]) == (3600, 2 * 3600)
    assert [a["finishedAt"] for a in job["attempts"]] == [job["finishedAt"]]
