"""Parents, children, batches and tags: how they are given, and how they are read."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.limits import MAX_TAGS
from tests.schema.test_writes import UNKNOWN
from tests.support.ledger import insert, job
from tests.support.service import OTHER_ORG, Service

JOB = "id tags parent { id type } batch { id name }"
CREATE = f"""mutation ($input: CreateJobInput!) {{ it: createJob(input: $input) {{
  __typename
  ... on CreateJobPayload {{ created job {{ {JOB} }} }}
  ... on IdempotencyConflict {{ existing {{ id }} }}
  ... on InvalidInput {{ field message }}
  ... on JobNotFound {{ jobId message }}
}} }}"""
CREATE_MANY = f"""mutation ($input: [CreateJobInput!]!) {{ it: createJobs(input: $input) {{
  __typename
  ... on CreateJobsPayload {{ created existing jobs {{ {JOB} }} }}
  ... on InvalidInput {{ field message }}
  ... on JobNotFound {{ jobId message }}
}} }}"""
CHILDREN = """query ($id: ID!, $filter: JobFilter, $orderBy: JobOrder, $first: Int, $after: String,
    $last: Int, $before: String) {
  job(id: $id) { children(filter: $filter, orderBy: $orderBy, first: $first, after: $after,
    last: $last, before: $before) {
    nodes { type parent { id } } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    count { value isExact } atMost: count(atMost: 2) { value isExact } } } }"""
BATCH = """query ($id: ID!) { node(id: $id) { id ... on Batch { name fraction firstCreatedAt
  lastFinishedAt statusCounts { status count { value isExact } }
  jobs(orderBy: {direction: ASC}) { nodes { type batch { name } } count { value } } } } }"""


async def create(service: Service, query: str = CREATE, **fields: Any) -> Any:
    wanted = {"type": "t", **fields}
    return (await service.query(query, {"input": wanted}))["it"]


async def new_job(service: Service, **fields: Any) -> str:
    created: str = (await create(service, **fields))["job"]["id"]
    return created


async def test_a_job_has_a_parent_a_batch_and_tags(service: Service) -> None:
    parent = await new_job(service, type="parent")
    made = (await create(service, parentId=parent.upper(), batch="b: 1", tags=["é", "b", "a"]))[
        "job"
    ]
    assert made["parent"] == {"id": parent, "type": "parent"}
    assert made["batch"] == {"id": "batch:b: 1", "name": "b: 1"}
    assert made["tags"] == ["a", "b", "é"]
    plain = (await create(service, parentId=None, batch=None, tags=None))["job"]
    assert (plain["parent"], plain["batch"], plain["tags"]) == (None, None, [])
    assert (await create(service, tags=[]))["job"]["tags"] == []


async def test_a_parent_must_exist_in_the_organisation(service: Service, database_url: str) -> None:
    theirs = job(org_id=UUID(OTHER_ORG))
    await insert(database_url, [theirs])
    messages = set()
    for parent in (UNKNOWN, str(theirs["id"])):
        answer = await create(service, parentId=parent, batch=parent)
        assert (answer["__typename"], answer["jobId"]) == ("JobNotFound", parent)
        messages.add(answer["message"])
        many = [{"type": "t", "batch": parent}, {"type": "t", "parentId": parent, "batch": parent}]
        answer = (await service.query(CREATE_MANY, {"input": many}))["it"]
        assert (answer["__typename"], answer["jobId"]) == ("JobNotFound", parent)
        messages.add(answer["message"])
        # Nothing was created, not even the job without a parent.
        assert (await service.query(BATCH, {"id": f"batch:{parent}"}))["node"] is None
    assert messages == {"There is no job with this id."}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"parentId": "x"}, "parentId"),
        ({"batch": ""}, "batch"),
        ({"batch": "b" * 256}, "batch"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["t" * 256]}, "tags"),
        ({"tags": ["a\0"]}, "tags"),
        ({"tags": ["a", "b", "a"]}, "tags"),
        ({"tags": [str(n) for n in range(MAX_TAGS + 1)]}, "tags"),
    ],
)
async def test_what_cannot_be_stored_is_refused(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    answer = await create(service, **fields)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)
    many = {"input": [{"type": "t"}, {"type": "t", **fields}]}
    answer = (await service.query(CREATE_MANY, many))["it"]
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", f"input.1.{field}")


async def test_the_largest_are_stored(service: Service) -> None:
    tags = sorted(f"{n:03}" + "\U0001f680" * 252 for n in range(MAX_TAGS))
    made = (await create(service, batch="\U0001f680" * 255, tags=tags))["job"]
    assert (made["batch"]["name"], made["tags"]) == ("\U0001f680" * 255, tags)


async def test_they_are_part_of_the_input_of_a_key(service: Service) -> None:
    parent, other = await new_job(service), await new_job(service)
    key = uuid4().hex
    given = {"idempotencyKey": key, "parentId": parent, "batch": "b", "tags": ["x", "y"]}
    first = await create(service, **given)
    again = await create(service, **given, type="t")
    reordered = await create(service, **{**given, "tags": ["y", "x"]})
    assert (first["created"], again["created"], reordered["created"]) == (True, False, False)
    for change in (
        {"parentId": other},
        {"parentId": None},
        {"batch": "c"},
        {"batch": None},
        {"tags": ["x"]},
        {"tags": []},
        {"tags": ["x", "y", "z"]},
    ):
        answer = await create(service, **{**given, **change})
        assert answer["__typename"] == "IdempotencyConflict", change
        assert answer["existing"]["id"] == first["job"]["id"]


async def test_a_creation_can_be_repeated_after_the_parent_is_gone(
    service: Service, tables: Any
) -> None:
    parent, key = await new_job(service), uuid4().hex
    given = {"idempotencyKey": key, "parentId": parent}
    first = await create(service, **given)
    await tables.execute("DELETE FROM job WHERE id = $1", UUID(parent))
    again = await create(service, **given)
    assert (again["created"], again["job"]) == (False, {**first["job"], "parent": None})
    conflict = await create(service, **given, batch="b")
    assert conflict["__typename"] == "IdempotencyConflict"
    both = [{"type": "t", **given}, {"type": "t"}]
    answer = (await service.query(CREATE_MANY, {"input": both}))["it"]
    assert (answer["created"], answer["existing"]) == (1, 1)
    assert answer["jobs"][0]["id"] == first["job"]["id"]


async def test_no_job_can_be_its_own_ancestor(service: Service) -> None:
    """The id of a job is new, and its parent exists: so no path leads from the parent to the job."""
    line = [await new_job(service)]
    for _ in range(5):
        line.append(await new_job(service, parentId=line[-1]))
    mutation = (
        await service.query("""{ __type(name: "Mutation") { fields {
        name args { type { name ofType { name ofType { ofType { name } } } } } } } }""")
    )["__type"]
    takes_parent = {
        field["name"] for field in mutation["fields"] if "CreateJobInput" in repr(field["args"])
    }
    # Nothing else takes a parent, so none changes.
    assert takes_parent == {"createJob", "createJobs"}
    up = "parent { id " * 5 + "}" * 5
    found = await service.query(f"query ($id: ID!) {{ job(id: $id) {{ {up} }} }}", {"id": line[-1]})
    node, ids = found["job"], []
    while node.get("parent"):
        node = node["parent"]
        ids.append(node["id"])
    assert ids == line[-2::-1]


async def family(database_url: str, count: int = 5, **fields: Any) -> tuple[str, list[str]]:
    """A parent, and its children from the oldest to the newest, of which two were made at once."""
    parent = job(1000)
    made = [job(n - n % 2, type=str(n), parent_id=parent["id"], **fields) for n in range(count)]
    made.sort(key=lambda row: (row["created_at"], row["id"]))
    stranger = job(2, parent_id=uuid4(), type="stranger")
    await insert(database_url, [parent, *made, stranger])
    return str(parent["id"]), [str(row["id"]) for row in made]


async def children(service: Service, parent: str, **arguments: Any) -> Any:
    found = await service.query(CHILDREN, {"id": parent, **arguments})
    return found["job"]["children"]


def ids_of(page: Any) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


async def test_children_are_a_list_of_jobs(service: Service, database_url: str) -> None:
    parent, made = await family(database_url)
    whole = await children(service, parent)
    assert ids_of(whole) == made[::-1]
    assert {node["parent"]["id"] for node in whole["nodes"]} == {parent}
    assert whole["count"] == {"value": 5, "isExact": True}
    assert whole["atMost"] == {"value": 2, "isExact": False}
    page = await children(service, parent, first=2)
    assert ids_of(page) == made[:2:-1]
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (True, False)
    page = await children(service, parent, first=2, after=page["pageInfo"]["endCursor"])
    assert ids_of(page) == made[2:0:-1]
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (True, True)
    back = await children(service, parent, last=2, before=page["edges"][1]["cursor"])
    assert ids_of(back) == made[3:1:-1]
    ascending = await children(service, parent, orderBy={"direction": "ASC"}, last=3)
    assert ids_of(ascending) == made[-3:]
    one = await children(service, parent, filter={"ids": [made[1].upper()]})
    assert (ids_of(one), one["count"]["value"]) == ([made[1]], 1)
    none = await children(service, made[0])
    assert (ids_of(none), none["count"]["value"]) == ([], 0)
    (error,) = (await service.post(CHILDREN, {"id": parent, "after": "x"})).json()["errors"]
    assert error["extensions"]["code"] == "INVALID_CURSOR"


async def test_children_whose_time_is_missing_are_in_their_place(
    service: Service, database_url: str
) -> None:
    parent = job()
    times = [None, 3, 1, None, 2]
    made = [
        job(
            n,
            type=str(time),
            parent_id=parent["id"],
            scheduled_at=None if time is None else parent["created_at"] + timedelta(hours=time),
        )
        for n, time in enumerate(times)
    ]
    await insert(database_url, [parent, *made])
    for direction, expected in (
        ("ASC", ["1", "2", "3", "None", "None"]),
        ("DESC", ["None", "None", "3", "2", "1"]),
    ):
        order = {"field": "SCHEDULED_AT", "direction": direction}
        page = await children(service, str(parent["id"]), orderBy=order)
        assert [node["type"] for node in page["nodes"]] == expected


async def test_a_page_of_jobs_has_the_children_of_each(service: Service, database_url: str) -> None:
    families = [await family(database_url, count, batch="of many") for count in (0, 1, 3)]
    ids = [parent for parent, _ in families]
    data = await service.query(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { id
        children(first: 2) { nodes { id } pageInfo { hasNextPage } count { value } }
        failed: children(filter: {status: [FAILED]}) { nodes { id } } } } }""",
        {"ids": ids},
    )
    for (_, made), node in zip(families, data["nodes"], strict=True):
        page = node["children"]
        assert [each["id"] for each in page["nodes"]] == made[::-1][:2]
        assert page["pageInfo"]["hasNextPage"] == (len(made) > 2)
        assert page["count"]["value"] == len(made)
        assert node["failed"]["nodes"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        "filter: {status: [FAILED]}",
        "filter: {status: [FAILED]}, orderBy: {field: UPDATED_AT}",
        'filter: {type: {startsWith: "of"}}, orderBy: {field: PRIORITY, direction: ASC}',
        "orderBy: {field: FINISHED_AT}",
        "orderBy: {direction: ASC}",
    ],
)
async def test_jobs_of_a_page_have_their_own_children(
    service: Service, database_url: str, arguments: str
) -> None:
    parents = [job(n, type=f"parent {n}") for n in range(3)]
    made = {
        str(parent["id"]): [
            job(10 * n + each, type="of one", status="failed", parent_id=parent["id"])
            for each in range(n + 1)
        ]
        for n, parent in enumerate(parents)
    }
    await insert(database_url, [*parents, *(each for rows in made.values() for each in rows)], [])
    data = await service.query(
        f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Job {{ id
        all: children({arguments}) {{ nodes {{ id }} count {{ value }} }}
        two: children(first: 2, {arguments}) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}
        last: children(last: 1, {arguments}) {{ nodes {{ id }} }} }} }} }}""",
        {"ids": list(made)},
    )
    for node in data["nodes"]:
        own = {str(row["id"]) for row in made[node["id"]]}
        listed = [each["id"] for each in node["all"]["nodes"]]
        assert sorted(listed) == sorted(own)
        assert node["all"]["count"]["value"] == len(own)
        assert [each["id"] for each in node["two"]["nodes"]] == listed[:2]
        assert node["two"]["pageInfo"]["hasNextPage"] == (len(own) > 2)
        assert [each["id"] for each in node["last"]["nodes"]] == listed[-1:]


async def test_a_batch_tells_how_far_it_is(service: Service, database_url: str) -> None:
    name = uuid4().hex
    rows = [
        job(n, type=str(n), status=status, batch=name)
        for n, status in enumerate(["succeeded", "failed", "running", "queued"])
    ]
    theirs = job(status="queued", org_id=UUID(OTHER_ORG), batch=name)
    await insert(database_url, [*rows, theirs])
    batch = (await service.query(BATCH, {"id": f"batch:{name}"}))["node"]
    assert (batch["id"], batch["name"], batch["fraction"]) == (f"batch:{name}", name, 0.5)
    assert (batch["firstCreatedAt"], batch["lastFinishedAt"]) == ("2026-01-01T00:00:00Z", None)
    counts = {each["status"]: each["count"]["value"] for each in batch["statusCounts"]}
    assert counts == {
        "QUEUED": 1,
        "RUNNING": 1,
        "SUCCEEDED": 1,
        "FAILED": 1,
        "CANCELED": 0,
        "DEAD_LETTER": 0,
    }
    assert [node["type"] for node in batch["jobs"]["nodes"]] == ["0", "1", "2", "3"]
    assert {node["batch"]["name"] for node in batch["jobs"]["nodes"]} == {name}
    assert batch["jobs"]["count"]["value"] == 4
    other = (await service.query(BATCH, {"id": f"batch:{name}"}, Joblens_Org=OTHER_ORG))["node"]
    assert other["jobs"]["count"]["value"] == 1


async def test_a_batch_has_ended_with_its_last_job(service: Service, database_url: str) -> None:
    name = "ended: " + uuid4().hex
    rows = [job(n, status=status, batch=name) for n, status in enumerate(["canceled", "succeeded"])]
    await insert(database_url, rows)
    batch = (await service.query(BATCH, {"id": f"batch:{name}"}))["node"]
    assert (batch["fraction"], batch["lastFinishedAt"]) == (1.0, "2026-01-01T00:01:40Z")


async def test_batches_are_nodes(service: Service) -> None:
    name = uuid4().hex
    made = await new_job(service, batch=name)
    ids = [f"batch:{name}", made, "batch:none", f"{made}:1", "batch:"]
    answer = (
        await service.post(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": ids}
        )
    ).json()
    assert [node and node["__typename"] for node in answer["data"]["nodes"]] == [
        "Batch",
        "Job",
        None,
        "JobEvent",
        None,
    ]
    assert [error["path"] for error in answer["errors"]] == [["nodes", 4]]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    for malformed in ("batch:", "batch:" + "b" * 256, "batch:\0"):
        (error,) = await service.errors(BATCH, {"id": malformed})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_copy_has_the_same_parent_batch_and_tags(service: Service) -> None:
    parent = await new_job(service)
    made = (await create(service, parentId=parent, batch="b", tags=["x", "y"]))["job"]
    rerun = f"""mutation ($id: ID!) {{ it: rerunJob(id: $id) {{
      ... on CreateJobPayload {{ job {{ {JOB} }} }} }} }}"""
    copy = (await service.query(rerun, {"id": made["id"]}))["it"]["job"]
    assert copy == {**made, "id": copy["id"]}
    assert copy["id"] != made["id"]
