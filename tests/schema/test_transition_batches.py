"""transitionJobs: what each change of a batch is answered, and the statements that a batch takes."""

from typing import Any
from uuid import uuid4

import pytest

from db.limits import MAX_TRANSITIONS
from tests.schema.test_writes import CREATE_MANY, TRANSITION_MANY, UNKNOWN, new_job
from tests.support.service import Service


async def new_jobs(service: Service, count: int) -> list[str]:
    made = await service.query(CREATE_MANY, {"input": [{"type": "t"}] * count})
    return [job["id"] for job in made["createJobs"]["jobs"]]


async def move_many(service: Service, *items: dict[str, Any]) -> Any:
    return (await service.query(TRANSITION_MANY, {"input": items}))["transitionJobs"]


def told(answer: Any) -> list[tuple[str, Any]]:
    """Get the type of each result, with what it is about."""
    return [
        (
            each["__typename"],
            each.get("field") or each.get("current") or each.get("job", {}).get("status"),
        )
        for each in answer["results"]
    ]


async def test_each_change_has_its_own_result(service: Service) -> None:
    one, two, three = await new_jobs(service, 3)
    answer = await move_many(
        service,
        {"id": two, "to": "SUCCEEDED"},
        {"id": UNKNOWN, "to": "RUNNING"},
        {"id": one, "to": "RUNNING", "detail": {"host": "a"}},
        {"id": "x", "to": "RUNNING"},
        {"id": three, "to": "RUNNING", "detail": 1},
        {"id": two, "to": "CANCELED", "errorMessage": "no \0"},
    )
    assert answer["__typename"] == "TransitionJobsPayload"
    assert (answer["changed"], answer["refused"]) == (2, 4)
    assert told(answer) == [
        ("IllegalTransition", "QUEUED"),
        ("JobNotFound", None),
        ("JobPayload", "RUNNING"),
        ("InvalidInput", "input.3.id"),
        ("InvalidInput", "input.4.detail"),
        ("JobPayload", "CANCELED"),
    ]
    assert answer["results"][0]["allowed"] == ["RUNNING", "CANCELED"]
    assert answer["results"][0]["job"]["id"] == two
    assert answer["results"][1]["id"] == UNKNOWN
    assert answer["results"][2]["job"]["latestEvent"]["detail"] == {"by": "anonymous", "host": "a"}
    assert answer["results"][5]["job"]["lastErrorMessage"] == "no \ufffd"


async def test_several_changes_of_a_job_are_made_in_their_order(service: Service) -> None:
    job_id, other = await new_jobs(service, 2)
    answer = await move_many(
        service,
        {"id": job_id, "to": "RUNNING"},
        {"id": job_id, "to": "RUNNING"},
        {"id": other, "to": "RUNNING"},
        {"id": job_id, "to": "FAILED", "attempt": 2},
        {"id": job_id, "to": "FAILED", "attempt": 1, "errorCode": "E"},
        {"id": job_id, "to": "QUEUED"},
        {"id": job_id, "to": "QUEUED"},
    )
    assert told(answer) == [
        ("JobPayload", "RUNNING"),
        ("IllegalTransition", "RUNNING"),
        ("JobPayload", "RUNNING"),
        ("IllegalTransition", "RUNNING"),
        ("JobPayload", "FAILED"),
        ("JobPayload", "QUEUED"),
        ("IllegalTransition", "QUEUED"),
    ]
    first, *_, last = (each["job"] for each in answer["results"] if "job" in each)
    assert (first["status"], first["attempt"], first["lastErrorCode"]) == ("RUNNING", 1, None)
    # Events are read after the commit.
    assert first["latestEvent"] == {
        "prevStatus": "FAILED",
        "nextStatus": "QUEUED",
        "attempt": 1,
        "detail": {"by": "anonymous"},
    }
    assert last["status"] == "QUEUED"


async def test_what_is_the_matter_with_a_whole_batch(service: Service) -> None:
    item = {"id": UNKNOWN, "to": "RUNNING"}
    assert await move_many(service) == {
        "__typename": "TransitionJobsPayload",
        "changed": 0,
        "refused": 0,
        "results": [],
    }
    most = await move_many(service, *[item] * MAX_TRANSITIONS)
    assert (most["changed"], most["refused"]) == (0, MAX_TRANSITIONS)
    assert await move_many(service, *[item] * (MAX_TRANSITIONS + 1)) == {
        "__typename": "InvalidInput",
        "field": "input",
        "message": "It may hold at most 500 changes.",
    }


@pytest.mark.parametrize("count", [1, 2, 50])
async def test_statements_are_as_many_as_shapes(service: Service, count: int) -> None:
    starting, ending, refused = [await new_jobs(service, count) for _ in range(3)]
    await move_many(service, *({"id": job_id, "to": "RUNNING"} for job_id in ending))
    query = TRANSITION_MANY.replace("latestEvent { prevStatus nextStatus attempt detail }", "id")
    items = [
        *({"id": job_id, "from": "QUEUED", "to": "RUNNING"} for job_id in starting),
        *(
            {"id": job_id, "to": "SUCCEEDED", "attempt": 1, "result": number, "detail": {}}
            for number, job_id in enumerate(ending)
        ),
        *({"id": job_id, "to": "FAILED", "errorCode": str(uuid4())} for job_id in refused),
    ]
    with service.recorded() as statements:
        answer = (await service.query(query, {"input": items}))["transitionJobs"]
    assert answer["changed"] == 2 * count
    # The lock, one for each shape, and what was refused.
    assert [s.split()[0] for s in statements] == ["SELECT", "WITH", "WITH", "WITH", "SELECT"]
    results = [each["job"]["result"] for each in answer["results"][count : 2 * count]]
    assert results == list(range(count))


async def test_a_batch_without_a_valid_change_asks_nothing(service: Service) -> None:
    with service.recorded() as statements:
        answer = await move_many(service, {"id": "x", "to": "RUNNING"})
    assert (answer["refused"], statements) == (1, [])


async def test_a_change_that_nothing_leads_to_is_no_statement(service: Service) -> None:
    job_id = await new_job(service)
    with service.recorded() as statements:
        answer = await move_many(service, {"id": job_id, "from": "SUCCEEDED", "to": "RUNNING"})
    assert told(answer) == [("IllegalTransition", "QUEUED")]
    assert [s.split()[0] for s in statements if "job_event" not in s] == ["SELECT", "SELECT"]
