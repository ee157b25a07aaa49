"""Who runs jobs: the names that starts tell, and `workers`, against a plain model."""

from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.ledger import insert
from tests.support.queue_model import Model, at, random_history
from tests.support.service import Service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORKERS = """query ($minutes: Int) {
  workers(minutes: $minutes) { name running { value isExact } lastSeenAt } }"""
JOB = """query ($id: ID!) {
  job(id: $id) { worker attempts { number worker } latestEvent { detail } } }"""
CHANGE = """mutation ($input: TransitionJobInput!) { transitionJob(input: $input) {
  __typename ... on JobPayload { job { worker } } ... on InvalidInput { field message } } }"""
MANY = """mutation ($input: [TransitionJobInput!]!) { transitionJobs(input: $input) {
  ... on TransitionJobsPayload { results {
    __typename ... on JobPayload { job { worker } } ... on InvalidInput { field } } } } }"""


async def create(service: Service) -> str:
    created = await service.query(
        'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
    )
    id_: str = created["createJob"]["job"]["id"]
    return id_


async def change(service: Service, id_: str, to: str, **given: Any) -> Any:
    answer = await service.query(CHANGE, {"input": {"id": id_, "to": to, **given}})
    return answer["transitionJob"]


async def test_each_run_tells_its_worker(service: Service) -> None:
    id_ = await create(service)
    for worker in ("first", None, "third"):
        await change(service, id_, "RUNNING", worker=worker)
        ended = await change(service, id_, "QUEUED", worker="not asked for")
        # Who ran it last.
        assert ended["job"]["worker"] == worker
    found = (await service.query(JOB, {"id": id_}))["job"]
    assert [each["worker"] for each in found["attempts"]] == ["first", None, "third"]
    assert "worker" not in found["latestEvent"]["detail"]
    await change(service, id_, "RUNNING", worker="fourth", detail={"worker": "guess", "pid": 1})
    found = (await service.query(JOB, {"id": id_}))["job"]
    assert (found["worker"], found["attempts"][-1]["worker"]) == ("fourth", "fourth")
    assert found["latestEvent"]["detail"] == {"worker": "fourth", "pid": 1, "by": "anonymous"}


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ("", "It must not be empty."),
        ("x" * 256, "It may have at most 255 characters."),
        ("a\0b", "Text must not contain the character U+0000."),
    ],
)
async def test_a_name_is_as_other_names(service: Service, worker: str, message: str) -> None:
    id_ = await create(service)
    refused = await change(service, id_, "RUNNING", worker=worker)
    assert refused == {"__typename": "InvalidInput", "field": "worker", "message": message}
    assert (await change(service, id_, "RUNNING", worker="x" * 255))["job"]["worker"] == "x" * 255


async def test_many_starts_tell_their_workers(service: Service) -> None:
    ids = [await create(service) for _ in range(4)]
    names = ["a", None, "b", ""]
    given = [{"id": i, "to": "RUNNING", "worker": w} for i, w in zip(ids, names, strict=True)]
    answer = await service.query(MANY, {"input": given})
    told = answer["transitionJobs"]["results"]
    assert [each["job"]["worker"] for each in told[:3]] == ["a", None, "b"]
    assert told[3] == {"__typename": "InvalidInput", "field": "input.3.worker"}


async def test_jobs_are_found_and_grouped_by_worker(service: Service) -> None:
    name = str(uuid4())
    for worker in (f"{name}-1", f"{name}-2", f"{name}-2"):
        await change(service, await create(service), "RUNNING", worker=worker)
    filter_ = {"worker": {"startsWith": name}}
    query = """query ($f: JobFilter) { jobs(filter: $f) { count { value } nodes { worker } }
      jobGroups(by: [WORKER], filter: $f) { key { worker } count } }"""
    found = await service.query(query, {"f": filter_})
    assert found["jobs"]["count"]["value"] == 3
    assert [(each["key"]["worker"][-1], each["count"]) for each in found["jobGroups"]] == [
        ("2", 2), ("1", 1),
    ]  # fmt: skip
    suggested = await service.query(
        f'{{ suggest(field: WORKER, prefix: "{name}") {{ value count {{ value }} }} }}'
    )
    assert [each["count"]["value"] for each in suggested["suggest"]] == [2, 1]


async def ask(service: Service, org: UUID, minutes: int | None = 15) -> list[Any]:
    data = await service.query(WORKERS, {"minutes": minutes}, Joblens_Org=str(org))
    return [
        (each["name"], each["running"]["value"], datetime.fromisoformat(each["lastSeenAt"]))
        for each in data["workers"]
        if each["running"]["isExact"]
    ]


@pytest.mark.parametrize("minutes", [1, 15, 60])
async def test_a_random_ledger_is_as_the_model_says(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    monkeypatch.setattr("resolvers.context.datetime", at(NOW))
    random, org = Random(minutes), uuid4()
    rows, steps = random_history(random, NOW, org, 200)
    for row in rows:
        row["worker"] = random.choice([None, *(f"worker-{n}" for n in range(40))])
    await insert(database_url, rows, steps)
    assert await ask(service, org, minutes) == Model(rows, steps).workers(NOW, minutes)


async def test_there_is_a_bound_to_the_workers(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.context.datetime", at(NOW))
    org = uuid4()
    rows, steps = random_history(Random(3), NOW, org, 100)
    for number, row in enumerate(rows):
        row["worker"] = f"worker-{number % 30}"
    await insert(database_url, rows, steps)
    found = await ask(service, org)
    monkeypatch.setattr("resolvers.workers.MAX_WORKERS", 5)
    assert await ask(service, org) == found[:5]
    for module in ("db.queries.workers", "resolvers.workers"):
        monkeypatch.setattr(f"{module}.MOST_JOBS", 3)
    # Not exact any more.
    assert await ask(service, org) == []


async def test_minutes_out_of_bounds_are_refused(service: Service) -> None:
    (error,) = (await service.post(WORKERS, {"minutes": 0})).json()["errors"]
    assert error["message"] == "'minutes' must be between 1 and 60."
