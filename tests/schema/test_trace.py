"""The history of a real service, cut at times of its life: what is answered, against a plain model.

Its jobs never waited: so some of the latest do, in queues by type, with workers by requester.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from db.transfer import import_records
from tests.schema.test_queues import QUERY as QUEUES
from tests.schema.test_waiting import WAITING
from tests.schema.test_workers import WORKERS
from tests.support.queue_model import at, model_of, parsed, plain, rounded, summed
from tests.support.service import Service
from tests.support.trace import needs_trace, trace_records

pytestmark = needs_trace

END = datetime(2024, 12, 8, 17, 34, 10, tzinfo=UTC)
# The whole history, and a busy hour.
TIMES = [END, datetime(2024, 12, 5, 22, 9, 59, tzinfo=UTC)]
LATELY = timedelta(minutes=20)
JOBS = """query ($first: Int, $after: String) { jobs(first: $first, after: $after) {
  pageInfo { endCursor hasNextPage } nodes { id worker progress { fraction step at }
    attempts { number worker } } } }"""

Record = dict[str, Any]


def varied(number: int, record: Record) -> Record:
    """Give a record a queue and a worker, and to some a time, or progress."""
    worker = f"worker-{record['requested_by']}"
    record |= {"queue": record["type"].lower(), "priority": number % 3}
    steps = record["events"]
    for step in steps:
        if step["next_status"] == "running":
            record["worker"] = worker
            step["detail"] = {"worker": worker}
    if number % 4 == 0 and len(steps) > 1:
        note = {"progress": {"fraction": number % 101 / 100, "step": f"step {number % 7}"}}
        told = {"prev_status": "running", "next_status": "running", "detail": note}
        steps.insert(2, {"ts": steps[1]["ts"], **told})
    if number % 5 == 0:
        due = parsed(record["created_at"]) + timedelta(minutes=number % 40)
        record["scheduled_at"] = due.isoformat()
    return record


def cut(record: Record, time: datetime) -> Record | None:
    """Forget what came after a time; None if all did. Some of the latest jobs wait."""
    steps = [step for step in record["events"] if parsed(step["ts"]) <= time]
    if not steps:
        return None
    chosen = int(record["id"][-1], 16)
    if parsed(record["created_at"]) > time - LATELY and chosen < 6:
        steps = steps[: 1 + chosen % 2]
        if steps[-1]["next_status"] == "running":
            steps.append(steps[-1] | {"prev_status": "running", "next_status": "queued"})
    status = steps[-1]["next_status"]
    kept = {name: value for name, value in record.items() if name != "result"}
    times: Record = {"started_at": None, "finished_at": None}
    if status not in {"queued", "running"}:
        times["finished_at"] = steps[-1]["ts"]
    return kept | times | {"status": status, "events": steps, "attempt": None}


class Trace:
    """The history up to a time, in an organisation of its own."""

    def __init__(self, now: datetime) -> None:
        made = (varied(number, record) for number, record in enumerate(trace_records()))
        self.records = [kept for each in made if (kept := cut(each, now)) is not None]
        self.now, self.org = now, uuid4()
        self.model = model_of(self.records)


@pytest.fixture(scope="module", params=TIMES, ids=str)
async def trace(request: Any, database_url: str) -> AsyncIterator[Trace]:
    made = Trace(request.param)
    lines = [orjson.dumps(record) for record in made.records]
    report = await import_records(database_url, made.org, lines)
    assert (report.imported, report.rejected) == (len(lines), 0)
    await summed(database_url, made.org)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("resolvers.context.datetime", at(made.now))
        yield made


async def ask(service: Service, trace: Trace, query: str, **given: Any) -> Any:
    return await service.query(query, given, Joblens_Org=str(trace.org))


async def test_why_its_jobs_wait(service: Service, trace: Trace) -> None:
    waiting = [row for row in trace.model.rows if row["status"] == "queued"][:200]
    ids = [str(row["id"]) for row in waiting]
    data = await ask(service, trace, WAITING, ids=ids, atMost=10_000)
    assert len(ids) > 30
    found = {UUID(node["id"]): plain(node["waiting"]) for node in data["jobs"]["nodes"]}
    assert found == {row["id"]: rounded(trace.model.waiting(row, trace.now)) for row in waiting}


async def test_its_queues(service: Service, trace: Trace) -> None:
    for minutes in (5, 15, 60):
        data = await ask(service, trace, QUEUES, minutes=minutes)
        found = {each.pop("name"): plain(each) for each in data["queues"]}
        assert found == rounded(trace.model.queues(trace.now, minutes))


async def test_its_workers(service: Service, trace: Trace) -> None:
    for minutes in (5, 60):
        data = await ask(service, trace, WORKERS, minutes=minutes)
        found = [
            (each["name"], each["running"]["value"], parsed(each["lastSeenAt"]))
            for each in data["workers"]
        ]
        assert found == trace.model.workers(trace.now, minutes)


async def test_the_workers_and_the_progress_of_its_jobs(service: Service, trace: Trace) -> None:
    """Of the newest thousand."""
    told: dict[UUID, Any] = {}
    after = None
    for _ in range(5):
        page = (await ask(service, trace, JOBS, first=200, after=after))["jobs"]
        after = page["pageInfo"]["endCursor"]
        told |= {UUID(node["id"]): node for node in page["nodes"]}
    assert len(told) == 1_000
    for id_, node in told.items():
        row = trace.model.jobs[id_]
        assert node["worker"] == row["worker"]
        assert (node["progress"] and plain(node["progress"])) == row["progress"]
        workers = [row["worker"]] * row["attempt"]
        assert [each["worker"] for each in node["attempts"]] == workers
