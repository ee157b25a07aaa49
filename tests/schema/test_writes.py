"""Mutations: jobs created, moved on, told of, canceled and retried; typed answers, one transaction each."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.queries import jobs as queries
from resolvers import bulk
from tests.support.ledger import events, insert, job
from tests.support.service import OTHER_ORG, Service

CREATE = """mutation ($input: CreateJobInput!) { createJob(input: $input) {
  __typename
  ... on CreateJobPayload { created job { id type queue status priority attempt maxAttempts
    backoffPolicy idempotencyKey requestedBy payload createdAt scheduledAt
    events { nodes { id prevStatus nextStatus detail } } } }
  ... on IdempotencyConflict { message existing { id type } }
  ... on InvalidInput { message field }
} }"""
CREATE_MANY = """mutation ($input: [CreateJobInput!]!) { createJobs(input: $input) {
  __typename
  ... on CreateJobsPayload { created existing jobs { id type } }
  ... on IdempotencyConflict { holder: existing { id } }
  ... on InvalidInput { field message }
} }"""
OUTCOME = """__typename
  ... on JobPayload { job { id status attempt maxAttempts startedAt finishedAt scheduledAt result
    lastErrorCode lastErrorMessage latestEvent { prevStatus nextStatus attempt detail } } }
  ... on JobNotFound { id message }
  ... on IllegalTransition { current requested allowed message job { id status } }
  ... on InvalidInput { field message }"""
TRANSITION = (
    f"mutation ($input: TransitionJobInput!) {{ transitionJob(input: $input) {{ {OUTCOME} }} }}"
)
TRANSITION_MANY = f"""mutation ($input: [TransitionJobInput!]!) {{ transitionJobs(input: $input) {{
  __typename
  ... on TransitionJobsPayload {{ changed refused results {{ {OUTCOME} }} }}
  ... on InvalidInput {{ field message }}
}} }}"""
RECORD = """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) {
  __typename
  ... on JobEventPayload { event { id prevStatus nextStatus attempt detail job { status } } }
  ... on JobNotFound { id jobId }
  ... on InvalidInput { field message }
} }"""
UNKNOWN = "00000000-0000-7000-8000-00000000ffff"


async def create(service: Service, **fields: Any) -> Any:
    return (await service.query(CREATE, {"input": {"type": "t", **fields}}))["createJob"]


async def move(service: Service, job_id: str, to: str, **fields: Any) -> Any:
    wanted = {"id": job_id, "to": to, **fields}
    return (await service.query(TRANSITION, {"input": wanted}))["transitionJob"]


async def operate(service: Service, field: str, job_id: str, reason: str | None = None) -> Any:
    query = (
        f"mutation ($id: ID!, $r: String) {{ it: {field}(id: $id, reason: $r) {{ {OUTCOME} }} }}"
    )
    return (await service.query(query, {"id": job_id, "r": reason}))["it"]


async def new_job(service: Service, **fields: Any) -> str:
    created: str = (await create(service, **fields))["job"]["id"]
    return created


async def test_a_job_is_created_with_its_first_event(service: Service) -> None:
    answer = await create(service, payload={"a": [1, None]}, requestedBy="me", priority=3)
    made = answer["job"]
    assert (answer["__typename"], answer["created"]) == ("CreateJobPayload", True)
    assert (made["status"], made["queue"], made["maxAttempts"]) == ("QUEUED", "default", 5)
    assert (made["payload"], made["priority"], made["requestedBy"]) == ({"a": [1, None]}, 3, "me")
    (first,) = made["events"]["nodes"]
    assert first == {
        "id": f"{made['id']}:1",
        "prevStatus": None,
        "nextStatus": "QUEUED",
        "detail": {"by": "anonymous"},
    }


async def test_the_same_key_and_input_give_the_same_job(service: Service) -> None:
    key = uuid4().hex
    first = await create(service, idempotencyKey=key, payload={"n": 1.0, "b": True})
    again = await create(service, idempotencyKey=key, payload={"b": True, "n": 1.0})
    assert (first["created"], again["created"]) == (True, False)
    assert first["job"]["id"] == again["job"]["id"]
    assert len(again["job"]["events"]["nodes"]) == 1
    for other in (
        {"payload": {"n": 1.0, "b": 1}},
        {"payload": None},
        {"type": "x"},
        {"queue": "q"},
    ):
        wanted = {"idempotencyKey": key, "payload": {"n": 1.0, "b": True}, **other}
        conflict = await create(service, **wanted)
        assert conflict["__typename"] == "IdempotencyConflict"
        assert conflict["existing"] == {"id": first["job"]["id"], "type": "t"}


async def test_requests_that_race_for_a_key_make_one_job(service: Service) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(create(service, idempotencyKey=key) for _ in range(20)))
    assert len({answer["job"]["id"] for answer in answers}) == 1
    assert sum(answer["created"] for answer in answers) == 1


async def test_keys_of_organisations_are_their_own(service: Service) -> None:
    key = uuid4().hex
    variables = {"input": {"type": "t", "idempotencyKey": key}}
    mine = (await service.query(CREATE, variables))["createJob"]
    theirs = (await service.query(CREATE, variables, Joblens_Org=OTHER_ORG))["createJob"]
    assert (mine["created"], theirs["created"]) == (True, True)
    assert mine["job"]["id"] != theirs["job"]["id"]


async def test_a_batch_is_created_all_or_none(service: Service) -> None:
    key, other = uuid4().hex, uuid4().hex
    batch = [
        {"type": "a"},
        {"type": "b", "idempotencyKey": key},
        {"type": "b", "idempotencyKey": key},
    ]
    first = (await service.query(CREATE_MANY, {"input": batch}))["createJobs"]
    assert (first["created"], first["existing"]) == (2, 1)
    assert [made["type"] for made in first["jobs"]] == ["a", "b", "b"]
    assert first["jobs"][1] == first["jobs"][2]
    conflicting = [{"type": "new", "idempotencyKey": other}, {"type": "c", "idempotencyKey": key}]
    refused = (await service.query(CREATE_MANY, {"input": conflicting}))["createJobs"]
    assert refused == {
        "__typename": "IdempotencyConflict",
        "holder": {"id": first["jobs"][1]["id"]},
    }
    made = await create(service, idempotencyKey=other, type="new")
    assert made["created"] is True
    many = [{"type": "many"}] * 1_000
    assert (await service.query(CREATE_MANY, {"input": many}))["createJobs"]["created"] == 1_000
    refused = (await service.query(CREATE_MANY, {"input": [*many, {"type": "x"}]}))["createJobs"]
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "input")
    assert (await service.query(CREATE_MANY, {"input": []}))["createJobs"]["jobs"] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": ""}, "type"),
        ({"type": "x" * 256}, "type"),
        ({"type": "a\0b"}, "type"),
        ({"queue": ""}, "queue"),
        ({"idempotencyKey": "x" * 256}, "idempotencyKey"),
        ({"requestedBy": "\0"}, "requestedBy"),
        ({"maxAttempts": 0}, "maxAttempts"),
        ({"maxAttempts": 1_001}, "maxAttempts"),
        ({"payload": {"a": "\0"}}, "payload"),
        ({"payload": "x" * 262_143}, "payload"),
    ],
)
async def test_invalid_input_is_named(service: Service, fields: dict[str, Any], field: str) -> None:
    answer = await create(service, **fields)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)
    # In a batch with its place, of one job too.
    for others in ([], [{"type": "t"}]):
        batch = [*others, {"type": "t", **fields}]
        refused = (await service.query(CREATE_MANY, {"input": batch}))["createJobs"]
        assert refused["field"] == f"input.{len(others)}.{field}"


async def test_json_too_deep_is_named(service: Service) -> None:
    deep: Any = 1
    for _ in range(101):
        deep = [deep]
    assert (await create(service, payload=deep))["field"] == "payload"


async def test_the_life_of_a_job(service: Service) -> None:
    job_id = await new_job(service, backoffPolicy="FIXED")
    started = (await move(service, job_id, "RUNNING", **{"from": "QUEUED"}))["job"]
    assert (started["attempt"], started["finishedAt"]) == (1, None)
    failed = (
        await move(service, job_id, "FAILED", errorCode="E1", errorMessage="no", detail={"k": 1})
    )["job"]
    assert (failed["lastErrorCode"], failed["lastErrorMessage"]) == ("E1", "no")
    assert failed["finishedAt"] is not None
    assert failed["latestEvent"] == {
        "prevStatus": "RUNNING",
        "nextStatus": "FAILED",
        "attempt": 1,
        "detail": {"k": 1, "by": "anonymous", "error_code": "E1", "error_message": "no"},
    }
    retried = (await move(service, job_id, "QUEUED"))["job"]
    assert (retried["startedAt"], retried["finishedAt"]) == (None, None)
    assert retried["scheduledAt"] is not None
    await move(service, job_id, "RUNNING")
    given_back = (await move(service, job_id, "QUEUED"))["job"]
    assert (given_back["scheduledAt"], given_back["attempt"]) == (None, 2)
    await move(service, job_id, "RUNNING")
    done = (await move(service, job_id, "SUCCEEDED", result={"ok": True}))["job"]
    assert (done["status"], done["attempt"], done["result"]) == ("SUCCEEDED", 3, {"ok": True})


async def test_what_is_not_legal_is_told(service: Service) -> None:
    job_id = await new_job(service, maxAttempts=1)
    refused = await move(service, job_id, "SUCCEEDED")
    assert refused["__typename"] == "IllegalTransition"
    assert (refused["current"], refused["requested"]) == ("QUEUED", "SUCCEEDED")
    assert refused["allowed"] == ["RUNNING", "CANCELED"]
    assert refused["job"] == {"id": job_id, "status": "QUEUED"}
    assert (await move(service, job_id, "RUNNING", **{"from": "FAILED"}))["current"] == "QUEUED"
    assert (await move(service, UNKNOWN, "RUNNING"))["__typename"] == "JobNotFound"
    await move(service, job_id, "RUNNING")
    await move(service, job_id, "FAILED")
    used_up = await move(service, job_id, "QUEUED")
    assert used_up["allowed"] == ["CANCELED", "DEAD_LETTER"]
    assert (await move(service, job_id, "DEAD_LETTER"))["job"]["status"] == "DEAD_LETTER"


async def test_an_operator_cancels_and_retries(service: Service) -> None:
    job_id = await new_job(service, maxAttempts=1)
    await move(service, job_id, "RUNNING")
    await move(service, job_id, "FAILED", errorCode="E")
    retried = (await operate(service, "retryJob", job_id, "once more"))["job"]
    assert (retried["status"], retried["maxAttempts"], retried["scheduledAt"]) == (
        "QUEUED",
        2,
        None,
    )
    assert retried["latestEvent"]["detail"] == {"by": "anonymous", "reason": "once more"}
    canceled = (await operate(service, "cancelJob", job_id))["job"]
    assert (canceled["status"], canceled["attempt"]) == ("CANCELED", 1)
    assert (await operate(service, "cancelJob", job_id))["__typename"] == "IllegalTransition"
    assert (await operate(service, "retryJob", UNKNOWN))["__typename"] == "JobNotFound"
    running = await new_job(service)
    await move(service, running, "RUNNING")
    assert (await operate(service, "retryJob", running))["__typename"] == "IllegalTransition"


async def test_results_are_selected_by_a_fragment_on_their_union(service: Service) -> None:
    query = """mutation ($id: ID!) { cancelJob(id: $id) { ...Result } }
    fragment Result on TransitionJobResult {
      ... on JobPayload { job { ...Job } } ... on IllegalTransition { current job { ...Job } } }
    fragment Job on Job { type queue priority status requestedBy }"""
    job_id = await new_job(service, type="u", queue="q", priority=7, requestedBy="me")
    job = {"type": "u", "queue": "q", "priority": 7, "status": "CANCELED", "requestedBy": "me"}
    changed = await service.query(query, {"id": job_id})
    assert changed["cancelJob"] == {"job": job}
    refused = await service.query(query, {"id": job_id})
    assert refused["cancelJob"] == {"current": "CANCELED", "job": job}


@pytest.mark.parametrize("end", ["CANCELED", "DEAD_LETTER"])
async def test_only_an_operator_revives_what_was_called_off_or_given_up(
    service: Service, end: str
) -> None:
    job_id = await new_job(service)
    for status in ("RUNNING", "FAILED", end):
        await move(service, job_id, status)
    for condition in ({}, {"from": end}, {"from": "FAILED"}):
        refused = await move(service, job_id, "QUEUED", **condition)
        assert refused["__typename"] == "IllegalTransition"
        assert (refused["current"], refused["allowed"]) == (end, [])
    retried = (await operate(service, "retryJob", job_id))["job"]
    assert (retried["status"], retried["maxAttempts"]) == ("QUEUED", 5)


async def test_an_event_is_recorded(service: Service) -> None:
    job_id = await new_job(service)
    await move(service, job_id, "RUNNING")
    answer = (await service.query(RECORD, {"input": {"id": job_id, "detail": {"progress": 4}}}))[
        "recordJobEvent"
    ]
    assert answer["event"] == {
        "id": f"{job_id}:3",
        "prevStatus": "RUNNING",
        "nextStatus": "RUNNING",
        "attempt": 1,
        "detail": {"progress": 4, "by": "anonymous"},
        "job": {"status": "RUNNING"},
    }
    for detail in (1, [1], "x"):
        refused = (await service.query(RECORD, {"input": {"id": job_id, "detail": detail}}))[
            "recordJobEvent"
        ]
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "detail")
    unknown = await service.query(RECORD, {"input": {"id": UNKNOWN, "detail": {}}})
    told = {"__typename": "JobNotFound", "id": UNKNOWN, "jobId": UNKNOWN}
    assert unknown["recordJobEvent"] == told


BULK = """mutation ($f: JobFilter!, $n: Int! = 100) { it: %s(filter: $f, limit: $n, reason: "r") {
  matched { value isExact } changed skipped jobs { id status latestEvent { detail } } } }"""


async def test_bulk_changes_take_the_newest_that_match(service: Service, database_url: str) -> None:
    rows = [job(n, type="bulk", status="queued" if n % 3 else "succeeded") for n in range(12)]
    await insert(database_url, rows)
    wanted = {"f": {"type": {"eq": "bulk"}}, "n": 6}
    answer = (await service.query(BULK % "cancelJobs", wanted))["it"]
    assert answer["matched"] == {"value": 6, "isExact": False}
    assert (answer["changed"], answer["skipped"]) == (4, 2)
    newest = [str(row["id"]) for row in reversed(rows[6:]) if row["status"] == "queued"]
    assert [each["id"] for each in answer["jobs"]] == newest
    assert answer["jobs"][0]["latestEvent"]["detail"] == {"by": "anonymous", "reason": "r"}
    back = (await service.query(BULK % "retryJobs", {"f": {"type": {"eq": "bulk"}}}))["it"]
    assert back["matched"] == {"value": 12, "isExact": True}
    assert (back["changed"], back["skipped"]) == (4, 8)
    for limit in (0, 1_001):
        (error,) = await service.errors(BULK % "cancelJobs", {**wanted, "n": limit})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


DELETE = """mutation ($f: JobFilter!, $n: Int! = 100, $dry: Boolean! = false) {
  deleteJobs(filter: $f, limit: $n, dryRun: $dry) { matched { value isExact } deleted } }"""
TYPES = "query ($t: String) { jobs(filter: {type: {eq: $t}}) { nodes { id } } }"


async def delete(service: Service, **variables: Any) -> tuple[int, bool, int]:
    answer = (await service.query(DELETE, variables))["deleteJobs"]
    return answer["matched"]["value"], answer["matched"]["isExact"], answer["deleted"]


async def test_a_bulk_deletion_takes_the_newest_that_match(
    service: Service, database_url: str
) -> None:
    type_ = uuid4().hex
    rows = [job(n, type=type_, status="queued" if n % 3 else "succeeded") for n in range(12)]
    await insert(database_url, rows, [step for row in rows for step in events(row, "queued")])
    queued = {"type": {"eq": type_}, "status": ["QUEUED"]}
    assert await delete(service, f=queued, n=2, dry=True) == (8, True, 0)
    assert await delete(service, f=queued, n=2) == (2, False, 2)
    left = [node["id"] for node in (await service.query(TYPES, {"t": type_}))["jobs"]["nodes"]]
    assert left == [str(row["id"]) for n, row in reversed([*enumerate(rows)]) if n not in {10, 11}]
    assert await delete(service, f={"type": {"eq": type_}}) == (10, True, 10)
    assert await delete(service, f={"type": {"eq": type_}}) == (0, True, 0)
    for limit in (0, 1_001):
        (error,) = await service.errors(DELETE, {"f": queued, "n": limit, "dry": True})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_dry_run_counts_up_to_a_bound(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_DRY_RUN_COUNT", 2)
    key = uuid4().hex
    for _ in range(3):
        await new_job(service, type=key)
    assert await delete(service, f={"type": {"eq": key}}, n=2, dry=True) == (2, False, 0)


async def test_a_bulk_deletion_leaves_what_no_longer_matches_or_is_locked(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uuid4().hex
    started, locked, _ = [await new_job(service, type=key) for _ in range(3)]
    list_jobs = queries.list_jobs

    async def list_then_start(*args: Any) -> Any:
        found = await list_jobs(*args)
        await move(service, started, "RUNNING")
        return found

    monkeypatch.setattr(queries, "list_jobs", list_then_start)
    writer = await asyncpg.connect(database_url)
    async with writer.transaction():
        await writer.execute("UPDATE job SET priority = 1 WHERE id = $1", UUID(locked))
        filter_ = {"type": {"eq": key}, "status": ["QUEUED"]}
        assert await delete(service, f=filter_) == (3, True, 1)
    await writer.close()
    monkeypatch.undo()
    nodes = (await service.query(TYPES, {"t": key}))["jobs"]["nodes"]
    assert {node["id"] for node in nodes} == {started, locked}


async def test_of_writers_that_race_one_wins(service: Service) -> None:
    job_id = await new_job(service)
    for _ in range(5):
        answers = await asyncio.gather(*(move(service, job_id, "RUNNING") for _ in range(10)))
        won = [each for each in answers if each["__typename"] == "JobPayload"]
        assert len(won) == 1
        assert {each.get("current") for each in answers} == {None, "RUNNING"}
        await move(service, job_id, "QUEUED")
    steps_of = "query ($id: ID!) { job(id: $id) { events { nodes { id prevStatus nextStatus } } } }"
    nodes = (await service.query(steps_of, {"id": job_id}))["job"]["events"]["nodes"]
    assert [node["id"] for node in nodes] == [f"{job_id}:{n}" for n in range(1, 12)]
    steps = [node["nextStatus"] for node in nodes]
    assert [node["prevStatus"] for node in nodes] == [None, *steps[:-1]]


async def test_fields_of_one_mutation_run_one_after_another(service: Service) -> None:
    job_id = await new_job(service)
    query = """mutation ($id: ID!) {
      a: transitionJob(input: {id: $id, to: RUNNING}) { ... on JobPayload { job { status } } }
      b: transitionJob(input: {id: $id, to: SUCCEEDED}) { ... on JobPayload { job { status attempts { outcome } } } }
    }"""
    data = await service.query(query, {"id": job_id})
    assert data["a"] == {"job": {"status": "RUNNING"}}
    assert data["b"] == {"job": {"status": "SUCCEEDED", "attempts": [{"outcome": "SUCCEEDED"}]}}


async def test_statements_of_a_transition(service: Service) -> None:
    job_id = await new_job(service)
    query = "mutation ($input: TransitionJobInput!) { transitionJob(input: $input) { ... on JobPayload { job { id status } } } }"
    with service.recorded() as statements:
        await service.query(query, {"input": {"id": job_id, "to": "RUNNING"}})
    assert [statement.split()[0] for statement in statements] == ["WITH"]
    with service.recorded() as statements:
        await service.query(
            'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
        )
    assert [statement.split()[0] for statement in statements] == ["INSERT", "INSERT"]


async def test_mutations_need_post(service: Service) -> None:
    response = await service.client.get(
        "/graphql", params={"query": CREATE, "variables": '{"input": {"type": "t"}}'}
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def test_a_bulk_change_leaves_what_no_longer_matches(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uuid4().hex
    started, waiting = [await new_job(service, type=key) for _ in range(2)]
    list_jobs = queries.list_jobs

    async def list_then_start(*args: Any) -> Any:
        found = await list_jobs(*args)
        await move(service, started, "RUNNING")
        return found

    # A worker that is quicker than the rest of the transaction.
    monkeypatch.setattr(queries, "list_jobs", list_then_start)
    wanted = {"f": {"type": {"eq": key}, "status": ["QUEUED"]}}
    answer = (await service.query(BULK % "cancelJobs", wanted))["it"]
    assert [each["id"] for each in answer["jobs"]] == [waiting]
    assert (answer["changed"], answer["skipped"]) == (1, 1)


async def test_a_reason_is_taken_as_it_can_be_kept(service: Service) -> None:
    canceled = (await operate(service, "cancelJob", await new_job(service), "\0"))["job"]
    assert canceled["latestEvent"]["detail"]["reason"] == "\ufffd"
    key = uuid4().hex
    await new_job(service, type=key)
    wanted = {"f": {"type": {"eq": key}}}
    bulk = (BULK % "cancelJobs").replace('"r"', f'"{"x" * 10_001}"')
    (changed,) = (await service.query(bulk, wanted))["it"]["jobs"]
    reason = changed["latestEvent"]["detail"]["reason"]
    assert (len(reason), "[shortened]" in reason) == (10_000, True)


async def test_a_key_twice_in_a_batch_with_other_input_is_named(service: Service) -> None:
    key = uuid4().hex
    batch = [{"type": "a", "idempotencyKey": key}, {"type": "b", "idempotencyKey": key}]
    refused = (await service.query(CREATE_MANY, {"input": batch}))["createJobs"]
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "input.1.idempotencyKey")
    assert (await create(service, idempotencyKey=key))["created"] is True


END = 2**31 - 1


async def test_numbers_at_their_end_fail_no_bulk_change(
    service: Service, database_url: str
) -> None:
    type_ = uuid4().hex
    rows = [
        job(n, type=type_, status=status, attempt=attempt, max_attempts=max_attempts, event_seq=seq)
        for n, (status, attempt, max_attempts, seq) in enumerate(
            [
                ("failed", END, END, 3),
                ("failed", END - 1, END - 1, 3),
                ("failed", 1, 1, END),
                ("failed", 1, 1, 3),
                ("running", END, END, 3),
            ]
        )
    ]
    await insert(database_url, rows)
    ids = [str(row["id"]) for row in rows]
    wanted = {"f": {"type": {"eq": type_}}}
    retried = (await service.query(BULK % "retryJobs", wanted))["it"]
    assert {each["id"] for each in retried["jobs"]} == {ids[1], ids[3]}
    assert (retried["changed"], retried["skipped"]) == (2, 3)
    for refused in (
        await operate(service, "retryJob", ids[0]),
        await operate(service, "retryJob", ids[2]),
        await move(service, ids[4], "QUEUED"),
        await move(service, ids[0], "QUEUED"),
    ):
        assert refused["__typename"] == "IllegalTransition"
        assert "QUEUED" not in refused["allowed"]
    last = (await move(service, ids[1], "RUNNING"))["job"]
    assert (last["attempt"], last["maxAttempts"]) == (END, END)
    assert (await move(service, ids[4], "SUCCEEDED"))["job"]["status"] == "SUCCEEDED"
    canceled = (await service.query(BULK % "cancelJobs", wanted))["it"]
    assert {each["id"] for each in canceled["jobs"]} == {ids[0], ids[1], ids[3]}
