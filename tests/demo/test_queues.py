"""What the demo shows of its queues, workers and progress, against its records."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from db.transfer import import_records
from demo.history import ORGS, sample_history
from tests.schema.test_queues import QUERY as QUEUES
from tests.schema.test_waiting import WAITING
from tests.schema.test_workers import WORKERS
from tests.support.queue_model import Model, at, model_of, parsed, plain, rounded
from tests.support.service import Service

NOW = datetime(2025, 6, 3, 14, 30, 12, 345000, tzinfo=UTC)
RECORDS = [record for org, record in sample_history(NOW) if org == ORGS[0]]


@pytest.fixture(scope="module")
async def model(database_url: str) -> AsyncIterator[Model]:
    report = await import_records(database_url, ORGS[0], [orjson.dumps(each) for each in RECORDS])
    assert report.imported == len(RECORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("resolvers.context.datetime", at(NOW))
        yield model_of(RECORDS)


async def ask(service: Service, query: str, **given: Any) -> Any:
    return await service.query(query, given, Joblens_Org=str(ORGS[0]))


async def test_why_jobs_wait(service: Service, model: Model) -> None:
    waiting = [row for row in model.rows if row["status"] == "queued"][:200]
    ids = [str(row["id"]) for row in waiting]
    data = await ask(service, WAITING, ids=ids, atMost=1_000)
    found = {UUID(node["id"]): plain(node["waiting"]) for node in data["jobs"]["nodes"]}
    assert found == {row["id"]: rounded(model.waiting(row, NOW)) for row in waiting}
    reasons = {reason for told in found.values() for reason in told["reasons"]}
    assert reasons >= {"SCHEDULED", "BACKING_OFF", "BEHIND_OTHERS"}
    assert any(told["eta"] for told in found.values())


async def test_queues_and_workers(service: Service, model: Model) -> None:
    data = await ask(service, QUEUES, minutes=15)
    found = {each.pop("name"): plain(each) for each in data["queues"]}
    assert found == rounded(model.queues(NOW, 15))
    assert len(found) == 4
    assert any(each["due"] > 5 for each in found.values())
    data = await ask(service, WORKERS, minutes=60)
    workers = [
        (each["name"], each["running"]["value"], parsed(each["lastSeenAt"]))
        for each in data["workers"]
    ]
    assert workers == model.workers(NOW, 60)
    assert len(workers) == 8


async def test_running_jobs_tell_progress(service: Service, model: Model) -> None:
    query = """{ jobs(filter: {status: [RUNNING]}, first: 200) {
      nodes { id worker progress { fraction step at } } } }"""
    nodes = (await ask(service, query))["jobs"]["nodes"]
    found = {UUID(node["id"]): node for node in nodes}
    assert any(node["progress"] for node in nodes)
    for id_, node in found.items():
        row = model.jobs[id_]
        assert node["worker"] == row["worker"]
        assert (node["progress"] and plain(node["progress"])) == row["progress"]
