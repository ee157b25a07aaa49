"""Error groups: what the API tells, against plain Python over what was written."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import create_engine
from db.error_groups.fingerprints import fingerprint_of
from db.tallies.errors import GROUPED_AT_ONCE
from db.tallies.summing import Outcome, sum_once
from resolvers.viewer import Role
from schema.execution.models import Response
from tests.resolvers.roles.asking import Asking, asking
from tests.support.ledger import insert, job

LIST = """query ($order: ErrorGroupOrder! = LAST_SEEN, $since: DateTime, $f: JobFilter, $first: Int, $after: String) {
  errorGroups(orderBy: $order, since: $since, filter: $f, first: $first, after: $after) {
    nodes { id code message types count { value isExact } firstSeenAt lastSeenAt
      trend(bucket: DAY, buckets: 4) sample { id } }
    count { value } pageInfo { hasNextPage endCursor } } }"""
ERRORS = [
    ("TIMEOUT", "no answer within {} s"),
    ("TIMEOUT", "no answer from host-{} at all"),
    ("QUOTA", None),
    (None, "cannot parse '{}'"),
]
NOW = datetime.now(UTC)


@dataclass
class Model:
    """What was written: of each group the times and types of its errors, and its jobs by age."""

    errors: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    jobs: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))

    def node(self, group_id: str) -> dict[str, Any]:
        times = sorted(ts for ts, _ in self.errors[group_id])
        days = [NOW.date() - timedelta(days=n) for n in (3, 2, 1, 0)]
        return {
            "types": sorted({type_ for _, type_ in self.errors[group_id]}),
            "count": {"value": len(times), "isExact": True},
            "firstSeenAt": times[0],
            "lastSeenAt": times[-1],
            "trend": [sum(ts.date() == day for ts in times) for day in days],
            "sample": {"id": max(self.jobs[group_id])[1]} if self.jobs[group_id] else None,
        }


def failed(model: Model, random: Random, org_id: UUID) -> tuple[Any, list[Any]]:
    """Make a job that failed once or twice, each time by any of the errors."""
    created = NOW - timedelta(minutes=random.randrange(10, 5_000))
    type_ = random.choice(["email.send", "report.make"])
    steps: list[dict[str, Any]] = []
    row = job(org_id=org_id, type=type_, created_at=created, updated_at=created)

    def step(prev: str | None, to: str, detail: Any = None) -> None:
        ts = created + timedelta(seconds=10 * len(steps))
        steps.append(
            {
                "org_id": org_id,
                "job_id": row["id"],
                "seq": len(steps) + 1,
                "ts": ts,
                "prev_status": prev,
                "next_status": to,
                "attempt": 1,
                "detail": detail,
            }
        )

    step(None, "queued", {"error_code": "no change of a run"})
    for _ in range(random.choice([1, 1, 2])):
        step(steps[-1]["next_status"] if len(steps) > 1 else "queued", "running")
        code, text = random.choice(ERRORS)
        message = None if text is None else text.format(random.randrange(1000))
        detail = {"error_code": code, "error_message": message}
        step("running", "failed", {k: v for k, v in detail.items() if v is not None})
        error = fingerprint_of(code, message)
        assert error is not None
        model.errors[f"error-group:{error.id}"].append((steps[-1]["ts"], type_))
    # A note, and a change without an error of its own.
    step("failed", "failed", {"error_code": "told", "error_message": "told again"})
    step("failed", "dead_letter")
    model.jobs[f"error-group:{error.id}"].append((created, str(row["id"])))
    row |= {"status": "dead_letter", "finished_at": steps[-1]["ts"], "event_seq": len(steps)}
    row |= {"last_error_code": code, "last_error_message": message, "error_group": error.id}
    return row, steps


async def write(url: str, model: Model, org_id: UUID, seed: int, count: int) -> None:
    random = Random(seed)
    made = [failed(model, random, org_id) for _ in range(count)]
    await insert(url, [row for row, _ in made], [step for _, steps in made for step in steps])


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def sum_all(engine: AsyncEngine, org_id: UUID) -> None:
    while (await sum_once(engine, org_id)).outcome is not Outcome.DONE:
        pass


async def all_groups(asked: Asking, **variables: Any) -> list[dict[str, Any]]:
    """Read all pages of two."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        data = await asked.data(LIST, {**variables, "first": 2, "after": after})
        page = data["errorGroups"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["count"] == {"value": len(found)}
            return found


def check(nodes: list[dict[str, Any]], model: Model) -> None:
    assert sorted(node["id"] for node in nodes) == sorted(model.errors)
    for node in nodes:
        for name in ("firstSeenAt", "lastSeenAt"):
            node[name] = datetime.fromisoformat(node[name])
        expected = model.node(node["id"])
        assert {name: node[name] for name in expected} == expected


@pytest.fixture
async def written(database_url: str, engine: AsyncEngine) -> AsyncIterator[tuple[Asking, Model]]:
    """An organisation with errors, some of which are not summed yet."""
    org_id, model = uuid4(), Model()
    await write(database_url, model, org_id, 1, 30)
    await sum_all(engine, org_id)
    await write(database_url, model, org_id, 2, 20)
    async with asking(database_url) as asked:
        yield asked.as_(Role.ADMIN, org=org_id).at(NOW), model


async def test_groups_tell_what_was_written(database_url: str, engine: AsyncEngine) -> None:
    org_id, model = uuid4(), Model()
    async with asking(database_url) as someone:
        asked = someone.as_(Role.ADMIN, org=org_id).at(NOW)
        assert await all_groups(asked) == []
        # Not summed; summed; with errors that are not summed yet; and all.
        await write(database_url, model, org_id, 1, 30)
        check(await all_groups(asked), model)
        await sum_all(engine, org_id)
        check(await all_groups(asked), model)
        await write(database_url, model, org_id, 2, 20)
        check(await all_groups(asked), model)
        await sum_all(engine, org_id)
        check(await all_groups(asked), model)


@pytest.mark.parametrize("order", ["LAST_SEEN", "FIRST_SEEN", "COUNT"])
async def test_the_largest_comes_first(written: tuple[Asking, Model], order: str) -> None:
    asked, _ = written
    figures = {
        "LAST_SEEN": lambda node: node["lastSeenAt"],
        "FIRST_SEEN": lambda node: node["firstSeenAt"],
        "COUNT": lambda node: node["count"]["value"],
    }
    found = [figures[order](node) for node in await all_groups(asked, order=order)]
    assert found == sorted(found, reverse=True)
    other = next(each for each in figures if each != order)
    page = (await asked.data(LIST, {"order": order, "first": 1}))["errorGroups"]["pageInfo"]
    code, _ = await asked.error(LIST, {"order": other, "first": 1, "after": page["endCursor"]})
    assert code == "INVALID_CURSOR"


async def test_a_filter_chooses_groups_by_the_last_errors_of_jobs(
    written: tuple[Asking, Model],
) -> None:
    asked, model = written
    query = """query ($f: JobFilter) { jobs(filter: $f, first: 200) { nodes { errorGroup { id } } }
      errorGroups(filter: $f) { nodes { id count { value } } } }"""
    for filter_ in (
        {"type": {"eq": "report.make"}},
        {"lastErrorCode": {"eq": "QUOTA"}, "createdAt": {"gte": NOW.isoformat()}},
        {"lastErrorMessage": {"contains": "host"}},
        {"status": ["QUEUED"]},
    ):
        data = await asked.data(query, {"f": filter_})
        of_jobs = {node["errorGroup"]["id"] for node in data["jobs"]["nodes"]}
        groups = {node["id"]: node["count"]["value"] for node in data["errorGroups"]["nodes"]}
        assert groups == {each: len(model.errors[each]) for each in of_jobs}
    since = sorted(ts for errors in model.errors.values() for ts, _ in errors)[-3]
    expected = {n for n, errors in model.errors.items() if max(errors)[0] >= since}
    found = await all_groups(asked, since=since.isoformat())
    assert {node["id"] for node in found} == expected


async def test_jobs_are_found_and_grouped_by_their_group(written: tuple[Asking, Model]) -> None:
    asked, model = written
    data = await asked.data(
        "{ jobGroups(by: [ERROR_GROUP]) { count key { errorGroup { id message } } } }"
    )
    counts = {each["key"]["errorGroup"]["id"]: each["count"] for each in data["jobGroups"]}
    assert counts == {group_id: len(jobs) for group_id, jobs in model.jobs.items()}
    query = """query ($id: ID!) { node(id: $id) { id ... on ErrorGroup { message } }
      nodes(ids: [$id]) { __typename }
      jobs(filter: {errorGroup: $id}, first: 200) { nodes { id errorGroup { id message } } } }"""
    for group_id, jobs in model.jobs.items():
        data = await asked.data(query, {"id": group_id})
        assert {node["id"] for node in data["jobs"]["nodes"]} == {job_id for _, job_id in jobs}
        assert all(node["errorGroup"] == data["node"] for node in data["jobs"]["nodes"])
        assert data["nodes"] == [{"__typename": "ErrorGroup"}]


@pytest.mark.parametrize("first", [1, 2, 200])
async def test_the_number_of_statements_does_not_grow(
    written: tuple[Asking, Model], first: int
) -> None:
    asked, _ = written
    # The snapshot of the sums, the new errors, the groups, their sums and samples.
    group = "id types trend sample { id type } again: trend count { value }"
    page = "pageInfo { hasNextPage hasPreviousPage endCursor } count { value }"
    with asked.recorded() as statements:
        await asked.data(f"{{ errorGroups(first: {first}) {{ nodes {{ {group} }} {page} }} }}")
    assert len(statements) == 5
    with asked.recorded() as statements:
        await asked.data(
            f"{{ jobs(first: {first}) {{ nodes {{ id errorGroup {{ {group} }} }} }} }}"
        )
    assert len(statements) == 6


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ errorGroups { nodes { trend(bucket: MINUTE) } } }", "'bucket' must be"),
        ("{ errorGroups { nodes { trend(buckets: 0) } } }", "'buckets' must be"),
        ("{ errorGroups { nodes { trend(buckets: 1001) } } }", "'buckets' must be"),
        ("{ errorGroups(first: 201) { nodes { id } } }", "'first' must be"),
        ('{ jobs(filter: {errorGroup: "x"}) { nodes { id } } }', "An error group's id must be"),
        ('{ node(id: "error-group:1") { id } }', "An error group's id must be"),
    ],
)
async def test_bad_input_is_told(written: tuple[Asking, Model], query: str, message: str) -> None:
    asked, _ = written
    (error,) = (await asked.body(query))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith(message)


async def test_groups_are_hidden_with_messages(database_url: str, engine: AsyncEngine) -> None:
    org_id, model = uuid4(), Model()
    await write(database_url, model, org_id, 1, 5)
    group_id = next(iter(model.jobs))
    async with asking(database_url, redact_keys="last_error_message") as admin:
        asked = admin.as_(Role.OPERATOR, org=org_id)
        for query in (
            "{ errorGroups { count { value } } }",
            f'{{ jobs(filter: {{errorGroup: "{group_id}"}}) {{ count {{ value }} }} }}',
            f'{{ jobs(filter: {{not: {{errorGroup: "{group_id}"}}}}) {{ count {{ value }} }} }}',
        ):
            code, _ = await asked.error(query)
            assert code == "FORBIDDEN"
        refused = await asked.subscribe("subscription { errorGroupSeen { cursor } }")
        assert isinstance(refused, Response)
        assert refused.codes() == {"FORBIDDEN"}
        shown = f"""{{ node(id: "{group_id}") {{ id }} jobs {{ nodes {{ errorGroup {{ id }} }} }}
          jobGroups(by: [ERROR_GROUP]) {{ key {{ errorGroup {{ id }} }} }} }}"""
        data = await asked.data(shown)
        assert data["node"] is None
        assert {node["errorGroup"] for node in data["jobs"]["nodes"]} == {None}
        assert {each["key"]["errorGroup"] for each in data["jobGroups"]} == {None}
        assert (await admin.as_(Role.ADMIN, org=org_id).data(shown))["node"] == {"id": group_id}


async def test_a_transition_sets_the_group(database_url: str) -> None:
    async with asking(database_url) as someone:
        asked = someone.as_(Role.WRITER, org=uuid4())
        data = await asked.data(
            'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id errorGroup { id } } } } }'
        )
        job_id, before = data["createJob"]["job"]["id"], data["createJob"]["job"]["errorGroup"]
        assert before is None
        move = """mutation ($i: TransitionJobInput!) { transitionJob(input: $i) {
          ... on JobPayload { job { errorGroup { id code message count { value } types } } } } }"""
        for changes in ({"to": "RUNNING"}, {"to": "FAILED", "errorCode": "E", "errorMessage": "7"}):
            data = await asked.data(move, {"i": {"id": job_id, **changes}})
        group = data["transitionJob"]["job"]["errorGroup"]
        assert (group["code"], group["message"], group["types"]) == ("E", "<number>", ["t"])
        assert group["count"] == {"value": 1}
        for changes in ({"to": "QUEUED"}, {"to": "RUNNING"}):
            data = await asked.data(move, {"i": {"id": job_id, **changes}})
            # It stays the last error.
            assert data["transitionJob"]["job"]["errorGroup"]["id"] == group["id"]


async def test_older_jobs_get_groups(
    database_url: str, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert GROUPED_AT_ONCE > 100
    monkeypatch.setattr("db.tallies.errors.GROUPED_AT_ONCE", 2)
    org_id, model = uuid4(), Model()
    await write(database_url, model, org_id, 1, 5)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE job SET error_group = NULL WHERE org_id = $1", org_id)
    await owner.close()
    await sum_all(engine, org_id)
    async with asking(database_url) as someone:
        check(await all_groups(someone.as_(Role.ADMIN, org=org_id).at(NOW)), model)


async def test_groups_stay_after_their_jobs(
    database_url: str, engine: AsyncEngine, written: tuple[Asking, Model]
) -> None:
    asked, model = written
    query = "mutation { deleteJobs(filter: {}, limit: 200) { deleted } }"
    assert (await asked.data(query))["deleteJobs"]["deleted"] == 50
    model.jobs.clear()
    check(await all_groups(asked), model)
    await sum_all(engine, asked.viewer.org_id)
    check(await all_groups(asked), model)


async def test_beyond_a_number_no_group_is_added(
    database_url: str, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.tallies.errors.MAX_GROUPS", 2)
    org_id, model = uuid4(), Model()
    await write(database_url, model, org_id, 1, 30)
    await sum_all(engine, org_id)
    async with asking(database_url) as someone:
        asked = someone.as_(Role.ADMIN, org=org_id).at(NOW)
        assert len(await all_groups(asked)) == 2
        data = await asked.data("{ jobs { nodes { errorGroup { id } } } }")
        assert None in [node["errorGroup"] for node in data["jobs"]["nodes"]]
