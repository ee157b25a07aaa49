"""Progress: how it is told, what it leaves as it is, and what a new run makes of it."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from db.transfer import import_records
from joblens import (
    InvalidJobError,
    JobRepository,
    JobStatus,
    Progress,
    create_worker_engine,
    session_scope,
)
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, Service

JOB = """query ($id: ID!) { job(id: $id) {
  updatedAt progress { fraction step at } events { nodes { ts detail attempt } } } }"""
RECORD = """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) {
  __typename ... on JobEventPayload { event { ts } }
  ... on InvalidInput { field message } } }"""
CHANGE = """mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) { ... on JobPayload { job { progress { fraction } updatedAt } } } }"""


async def create(service: Service) -> str:
    created = await service.query(
        'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
    )
    id_: str = created["createJob"]["job"]["id"]
    await change(service, id_, "RUNNING")
    return id_


async def change(service: Service, id_: str, to: str) -> Any:
    answer = await service.query(CHANGE, {"input": {"id": id_, "to": to}})
    return answer["transitionJob"]["job"]


async def record(service: Service, id_: str, **given: Any) -> Any:
    answer = await service.query(RECORD, {"input": {"id": id_, **given}})
    return answer["recordJobEvent"]


async def get(service: Service, id_: str) -> Any:
    return (await service.query(JOB, {"id": id_}))["job"]


async def test_the_newest_progress_is_that_of_the_job(service: Service) -> None:
    id_ = await create(service)
    assert (await get(service, id_))["progress"] is None
    await record(service, id_, progress={"fraction": 0.25, "step": "load"})
    await record(service, id_, progress={"fraction": 1})
    await record(service, id_, detail={"n": 1})
    found = await get(service, id_)
    *_, loaded, whole, noted = found["events"]["nodes"]
    assert loaded["detail"]["progress"] == {"fraction": 0.25, "step": "load"}
    assert whole["detail"]["progress"] == {"fraction": 1.0}
    assert found["progress"] == {"fraction": 1, "step": None, "at": whole["ts"]}
    assert found["updatedAt"] == noted["ts"] > whole["ts"] > loaded["ts"]


async def test_nothing_but_progress_is_no_change(service: Service) -> None:
    id_ = await create(service)
    before = (await get(service, id_))["updatedAt"]
    await record(service, id_, progress={"fraction": 0.5})
    found = await get(service, id_)
    assert found["updatedAt"] == before < found["progress"]["at"]
    await record(service, id_, progress={"fraction": 0.6}, detail={"n": 1})
    found = await get(service, id_)
    assert found["updatedAt"] == found["progress"]["at"] > before


async def test_a_later_change_is_later(service: Service, database_url: str) -> None:
    """Also if the clock of who told the progress is ahead."""
    id_ = await create(service)
    await record(service, id_, progress={"fraction": 0.5})
    owner = await asyncpg.connect(database_url)
    ahead = await owner.fetchval(
        "UPDATE job SET progress_at = progress_at + interval '1 h' WHERE id = $1"
        " RETURNING progress_at",
        UUID(id_),
    )
    await owner.close()
    changed = await change(service, id_, "SUCCEEDED")
    assert datetime.fromisoformat(changed["updatedAt"]) == ahead
    assert changed["progress"] == {"fraction": 0.5}


async def test_a_new_run_begins_without(service: Service) -> None:
    id_ = await create(service)
    await record(service, id_, progress={"fraction": 0.5})
    assert (await change(service, id_, "QUEUED"))["progress"] == {"fraction": 0.5}
    assert (await change(service, id_, "RUNNING"))["progress"] is None


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"progress": {"fraction": 1.1}}, "progress.fraction", "It must be between 0 and 1."),
        ({"progress": {"fraction": -0.1}}, "progress.fraction", "It must be between 0 and 1."),
        ({"progress": {"fraction": 55}}, "progress.fraction", "It must be between 0 and 1."),
        ({"progress": {"fraction": 0, "step": ""}}, "progress.step", "It must not be empty."),
        (
            {"progress": {"fraction": 0, "step": "x" * 256}},
            "progress.step",
            "It may have at most 255 characters.",
        ),
        ({}, "detail", "It is required without progress."),
        ({"detail": None}, "detail", "It is required without progress."),
        ({"detail": 1, "progress": {"fraction": 0}}, "detail", "It must be a JSON object."),
    ],
)
async def test_what_is_wrong_is_told(
    service: Service, given: dict[str, Any], field: str, message: str
) -> None:
    id_ = await create(service)
    refused = await record(service, id_, **given)
    assert refused == {"__typename": "InvalidInput", "field": field, "message": message}
    assert (await get(service, id_))["progress"] is None


async def test_workers_in_python_tell_it_too(service: Service, database_url: str) -> None:
    engine = create_worker_engine(database_url)
    id_ = UUID(await create(service))
    async with session_scope(UUID(ORG), engine=engine) as session:
        repository = JobRepository(session, by="w")
        await repository.log_job_event(id_, progress=Progress(0.5, "half"))
        job = await repository.get_job_by_id(id_)
        assert job is not None
        assert (job.progress_fraction, job.progress_step) == (0.5, "half")
        assert job.updated_at < job.progress_at
        for wrong in (Progress(2), Progress(float("nan")), Progress(0, "")):
            with pytest.raises(InvalidJobError, match="progress"):
                await repository.log_job_event(id_, progress=wrong)
        with pytest.raises(InvalidJobError, match="detail"):
            await repository.log_job_event(id_)
        await repository.update_job_status(id_, JobStatus.QUEUED)
        assert (await repository.update_job_status(id_, JobStatus.RUNNING)).progress_at is None
    await engine.dispose()


async def test_subscriptions_see_it(service: Service) -> None:
    id_ = await create(service)
    query = "subscription ($id: ID!) { job(id: $id) { progress { fraction } } }"
    heard: list[Any] = []
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        service.client.stream(
            "POST",
            "/graphql",
            json={"query": query, "variables": {"id": id_}},
            headers={"accept": "text/event-stream"},
        ) as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data:") and len(line) > 6:
                heard.append(orjson.loads(line[5:])["data"]["job"]["progress"])
                if len(heard) == 2:
                    break
                await record(service, id_, progress={"fraction": 0.75})
    assert heard == [None, {"fraction": 0.75}]


async def test_an_import_knows_the_progress_of_the_last_run(
    service: Service, database_url: str
) -> None:
    def step(minute: int, before: str | None, after: str, detail: Any = None) -> dict[str, Any]:
        ts = f"2026-01-01T00:0{minute}:00Z"
        return {"ts": ts, "prev_status": before, "next_status": after, "detail": detail}

    note = {"progress": {"fraction": 0.5, "step": "half"}}
    steps = [
        step(0, None, "queued"),
        step(1, "queued", "running"),
        step(2, "running", "running", note),
        step(3, "running", "running", {"progress": 55}),
        step(4, "running", "running", {"progress": {"fraction": 5}}),
    ]
    again = [step(5, "running", "queued"), step(6, "queued", "running")]
    org = uuid4()
    for number, (events, status) in enumerate(((steps, "running"), ([*steps, *again], "running"))):
        record_ = {
            "id": str(UUID(int=number + 1)),
            "type": "t",
            "status": status,
            "created_at": steps[0]["ts"],
            "events": events,
        }
        report = await import_records(database_url, org, [orjson.dumps(record_)])
        assert report.imported == 1
    query = "{ jobs(orderBy: {direction: ASC}) { nodes { progress { fraction step at } } } }"
    found = await service.query(query, Joblens_Org=str(org))
    assert [each["progress"] for each in found["jobs"]["nodes"]] == [
        {"fraction": 0.5, "step": "half", "at": "2026-01-01T00:02:00Z"},
        None,
    ]


async def test_no_index_has_what_progress_changes(database_url: str) -> None:
    """So PostgreSQL can keep the new version of a row in its block, and leave the indexes alone."""
    owner = await asyncpg.connect(database_url)
    definitions = await owner.fetch(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'job'::regclass"
    )
    await owner.close()
    assert len(definitions) > 10
    changed = ("progress_fraction", "progress_step", "progress_at", "event_seq")
    assert not [each for (each,) in definitions if any(name in each for name in changed)]
