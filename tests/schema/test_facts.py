"""recordFacts, sources, and jobs that are run by another system."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.support.facts import at, fact
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service

SHOP = {"name": "shop", "kind": "celery"}
RECORD = """mutation ($source: SourceInput!, $facts: [FactInput!]!) {
  recordFacts(source: $source, facts: $facts) {
    recorded known faults { index field message } } }"""
JOB = """query ($id: StringFilter) { jobs(filter: {externalId: $id}) { nodes {
  id externalId type queue status attempt maxAttempts priority payload result lastErrorCode
  lastErrorMessage createdAt scheduledAt startedAt finishedAt worker tags allowedTransitions
  parent { externalId } batch { name } progress { fraction step }
  source { id name kind isReadOnly lagSeconds lastError }
  attempts { number startedAt finishedAt outcome errorCode errorMessage worker }
  events { nodes { ts prevStatus nextStatus attempt isExact detail } } } } }"""


async def tell(service: Service, *facts: dict[str, Any], **source: str) -> Any:
    data = await service.query(RECORD, {"source": {**SHOP, **source}, "facts": list(facts)})
    return data["recordFacts"]


async def told(service: Service, id_: str) -> Any:
    (found,) = (await service.query(JOB, {"id": {"eq": id_}}))["jobs"]["nodes"]
    return found


def changes(found: Any) -> list[Any]:
    """Get the second, statuses and attempt of each event."""
    return [
        (int(e["ts"][17:19]), e["prevStatus"], e["nextStatus"], e["attempt"])
        for e in found["events"]["nodes"]
    ]


LIFE = [
    fact("", 0, "QUEUED", type="mail", queue="slow", payload={"to": 1}, maxAttempts=3, tags=["b", "a"]),
    fact("", 1, "RUNNING", worker="w1"),
    fact("", 2, "RUNNING", progress={"fraction": 0.5, "step": "half"}),
    fact("", 3, "FAILED", errorCode="E", errorMessage="no", detail={"traceback": "…"}),
    fact("", 3, "QUEUED", scheduledAt=at(5)),
    fact("", 6, "RUNNING", worker="w2"),
    fact("", 7, "SUCCEEDED", result=[1]),
]  # fmt: skip


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 2, 5, 1, 4]]
)
async def test_a_job_is_what_its_facts_add_up_to(service: Service, order: list[int]) -> None:
    id_ = uuid4().hex[:10] + "x"
    for number in order:
        payload = await tell(service, LIFE[number] | {"externalId": id_})
        assert payload == {"recorded": 1, "known": 0, "faults": []}
    again = await tell(service, *(each | {"externalId": id_} for each in LIFE))
    assert again == {"recorded": 0, "known": 7, "faults": []}
    found = await told(service, id_)
    assert changes(found) == [
        (0, None, "QUEUED", 0),
        (1, "QUEUED", "RUNNING", 1),
        (2, "RUNNING", "RUNNING", 1),
        (3, "RUNNING", "FAILED", 1),
        (3, "FAILED", "QUEUED", 1),
        (6, "QUEUED", "RUNNING", 2),
        (7, "RUNNING", "SUCCEEDED", 2),
    ]
    assert all(event["isExact"] for event in found["events"]["nodes"])
    expected = {
        "type": "mail", "queue": "slow", "status": "SUCCEEDED", "attempt": 2, "maxAttempts": 3,
        "payload": {"to": 1}, "result": [1], "lastErrorCode": "E", "lastErrorMessage": "no",
        "createdAt": at(0), "scheduledAt": at(5), "startedAt": at(6), "finishedAt": at(7),
        "worker": "w2", "tags": ["a", "b"], "progress": None, "allowedTransitions": [],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert [(a["number"], a["outcome"], a["worker"]) for a in found["attempts"]] == [
        (1, "FAILED", "w1"),
        (2, "SUCCEEDED", "w2"),
    ]
    source = found["source"]
    assert source.pop("id").startswith("source:")
    assert source == SHOP | {"isReadOnly": True, "lagSeconds": None, "lastError": None}


async def test_what_nobody_told_is_inferred_and_says_so(service: Service) -> None:
    await tell(service, fact("7", 5, "SUCCEEDED"))
    found = await told(service, "7")
    assert changes(found) == [
        (5, None, "QUEUED", 0),
        (5, "QUEUED", "RUNNING", 1),
        (5, "RUNNING", "SUCCEEDED", 1),
    ]
    assert [e["isExact"] for e in found["events"]["nodes"]] == [False, False, True]
    assert (found["type"], found["id"][14:]) == ("unknown", "8000-8000-000000000007")


async def test_a_worker_that_vanished_and_one_that_was_given_its_job(service: Service) -> None:
    lost = [fact("lost", 1, "QUEUED"), fact("lost", 2, "RUNNING"), fact("lost", 9, "RUNNING")]
    await tell(service, *lost, fact("lost", 10, "SUCCEEDED"))
    found = await told(service, "lost")
    assert changes(found)[2:4] == [(9, "RUNNING", "QUEUED", 1), (9, "QUEUED", "RUNNING", 2)]
    assert found["attempt"] == 2


async def test_attempts_count_more_than_clocks(service: Service) -> None:
    told_ = [fact("skew", 9, "QUEUED", attempt=0), fact("skew", 8, "RUNNING", attempt=1)]
    await tell(service, *told_)
    found = await told(service, "skew")
    assert changes(found) == [(9, None, "QUEUED", 0), (9, "QUEUED", "RUNNING", 1)]
    assert found["events"]["nodes"][1]["detail"]["joblens"]["ts"] == "2026-05-01T10:00:08+00:00"


async def test_what_cannot_be_stored_is_left_out(service: Service) -> None:
    deep: Any = []
    for _ in range(90):
        deep = [deep]
    values = {
        "type": "t" * 300,
        "queue": "q\0",
        "priority": 2**31 - 1,
        "tags": [f"tag {number}" for number in range(30)] + ["", "t" * 300],
        "payload": "x" * 300_000,
        "result": {"n\0": 1},
        "detail": {"deep": deep, "joblens": {"inferred": True}},
        "errorMessage": "m" * 20_000,
        "parentExternalId": "odd",
        "batch": "",
        "progress": {"fraction": 7},
    }
    payload = await tell(service, fact("odd", 1, "RUNNING", **values), fact("", 1, "QUEUED"))
    assert payload["recorded"] == 1
    assert [(f["index"], f["field"]) for f in payload["faults"]] == [(1, "externalId")]
    found = await told(service, "odd")
    assert len(found["type"]) == 255
    assert found["queue"] == "q\ufffd"
    assert len(found["tags"]) == 20
    assert found["payload"]["joblens"].startswith("left out: It may have at most")
    assert found["result"]["joblens"].startswith("left out: ")
    assert len(found["lastErrorMessage"]) == 10_000
    assert (found["parent"], found["batch"], found["progress"]) == (None, None, None)
    assert found["events"]["nodes"][-1]["detail"]["reported_progress"] == {
        "fraction": "7.0",
        "step": None,
    }


async def test_a_counter_of_starts_at_its_end(service: Service) -> None:
    most = 2**31 - 1
    runs = [fact("often", second, "RUNNING", attempt=most) for second in (1, 3)]
    await tell(service, *runs, fact("often", 2, "FAILED", attempt=most, maxAttempts=-1))
    await tell(service, fact("often", 4, "RUNNING"), fact("often", 5, "SUCCEEDED", attempt=-7))
    found = await told(service, "often")
    assert (found["attempt"], found["maxAttempts"], found["status"]) == (most, most, "RUNNING")


async def test_an_inexact_fact_gives_way(service: Service) -> None:
    await tell(service, fact("vague", 1, "QUEUED"))
    await tell(service, fact("vague", 5, "RUNNING", attempt=1, isExact=False))
    found = await told(service, "vague")
    assert (changes(found)[1][0], found["startedAt"]) == (5, None)
    await tell(service, fact("vague", 3, "RUNNING", attempt=1))
    found = await told(service, "vague")
    assert changes(found) == [(1, None, "QUEUED", 0), (3, "QUEUED", "RUNNING", 1)]
    assert found["startedAt"] == at(3)


OPERATE = """mutation ($id: ID!) {
  cancelJob(id: $id) { ...Refused }
  transitionJob(input: {id: $id, to: RUNNING}) { ...Refused }
  rescheduleJob(id: $id) { ...Refused }
  recordJobEvent(input: {id: $id, detail: {}}) { __typename ... on ReadOnlyJob { job { id } } }
  transitionJobs(input: [{id: $id, to: RUNNING}]) {
    ... on TransitionJobsPayload { changed results { ...Refused } } }
  cancelJobs(filter: {ids: [$id]}) { ...Skipped }
  deleteJobs(filter: {ids: [$id]}) { deleted skipped skips { reason count } }
}
fragment Refused on TransitionJobResult {
  __typename ... on ReadOnlyJob { message job { id status } } }
fragment Skipped on BulkJobPayload { matched { value } changed skipped skips { reason count } }"""


async def test_its_job_is_read_only(service: Service) -> None:
    await tell(service, fact("held", 1, "QUEUED"))
    before = await told(service, "held")
    data = await service.query(OPERATE, {"id": before["id"]})
    refused = {
        "__typename": "ReadOnlyJob",
        "message": "The job is run by another system. It can be changed only there.",
        "job": {"id": before["id"], "status": "QUEUED"},
    }
    skipped = {"skipped": 1, "skips": [{"reason": "READ_ONLY", "count": 1}]}
    assert data == {
        "cancelJob": refused,
        "transitionJob": refused,
        "rescheduleJob": refused,
        "recordJobEvent": {"__typename": "ReadOnlyJob", "job": {"id": before["id"]}},
        "transitionJobs": {"changed": 0, "results": [refused]},
        "cancelJobs": {"matched": {"value": 1}, "changed": 0, **skipped},
        "deleteJobs": {"deleted": 0, **skipped},
    }
    assert await told(service, "held") == before


async def test_sources_and_their_jobs(service: Service) -> None:
    for name in ("b", "a"):
        await tell(service, fact("1", 1, "QUEUED"), fact("2", 2, "QUEUED"), name=name)
    query = (
        """{ sources { id name kind jobs(first: 1) { nodes { externalId } count { value } } } }"""
    )
    found = [s for s in (await service.query(query))["sources"] if s["name"] in {"a", "b"}]
    assert [each["name"] for each in found] == ["a", "b"]
    for each in found:
        assert each["jobs"] == {"nodes": [{"externalId": "2"}], "count": {"value": 2}}
        query = """query ($id: ID!) { node(id: $id) { ... on Source { name } }
          jobs(filter: {source: $id, externalId: {startsWith: "1"}}) { nodes { source { name } } } }"""
        data = await service.query(query, {"id": each["id"]})
        assert data["node"] == {"name": each["name"]}
        assert data["jobs"]["nodes"] == [{"source": {"name": each["name"]}}]


async def test_a_uuid_that_another_job_has(service: Service) -> None:
    create = (
        'mutation { createJob(input: {type: "own"}) { ... on CreateJobPayload { job { id } } } }'
    )
    id_ = (await service.query(create))["createJob"]["job"]["id"]
    await tell(service, fact(id_.upper(), 1, "QUEUED", type="theirs"))
    found = await told(service, id_)
    assert (found["type"], found["id"] != id_) == ("theirs", True)
    own = await service.query(
        "query ($id: ID!) { job(id: $id) { type source { id } } }", {"id": id_}
    )
    assert own["job"] == {"type": "own", "source": None}


async def test_parents_and_batches(service: Service) -> None:
    await tell(service, fact("child", 2, "QUEUED", parentExternalId="mother", batch="family"))
    await tell(service, fact("mother", 1, "QUEUED", batch="family"))
    found = await told(service, "child")
    assert (found["parent"], found["batch"]) == ({"externalId": "mother"}, {"name": "family"})


@pytest.mark.parametrize(
    ("source", "count", "message"),
    [
        ({"name": ""}, 1, "'source.name': It must not be empty."),
        ({"kind": "k" * 256}, 1, "'source.kind': It may have at most 255 characters."),
        ({}, 1_001, "'facts' may hold at most 1000 facts."),
    ],
)
async def test_bad_input(service: Service, source: Any, count: int, message: str) -> None:
    given = {"source": SHOP | source, "facts": [fact("1", 1, "QUEUED")] * count}
    response = await service.post(RECORD, given)
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == message


async def test_a_mirror_that_stopped_lags_ever_more(service: Service, database_url: str) -> None:
    await tell(service, fact("1", 1, "QUEUED"), name="stopped")
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "UPDATE source SET lag_seconds = 2, last_seen_at = now() - interval '1 hour'"
        " WHERE name = 'stopped'"
    )
    await owner.close()
    found = (await service.query("{ sources { name lagSeconds } }"))["sources"]
    (lag,) = (each["lagSeconds"] for each in found if each["name"] == "stopped")
    assert 3_602 <= lag < 3_602 + PATIENCE_SECONDS
