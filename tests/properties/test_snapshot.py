"""One response is one snapshot, whatever writers do meanwhile; and its fields share one session."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.statuses import JobStatus
from tests.support.ledger import EPOCH, events, insert, job
from tests.support.service import ORG, Service

ROUNDS = 100
AT_MOST_JOBS = 60  # fewer than a page holds
QUERY = """{
    jobs(first: 200) {
        nodes {
            id
            status
            latestEvent { nextStatus }
            attempts { outcome }
            events { nodes { nextStatus } count { value } }
        }
        count { value }
    }
    statusCounts { status count { value } }
    jobGroups(by: [STATUS]) { key { status } count }
    failed: jobs(filter: {status: [FAILED]}, first: 200) { nodes { id } count { value } }
    timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: DAY) { created }
    jobEvents { count { value } }
    again: jobs { count { value } }
}"""
# Each changes at most one job and what else belongs to it; the whole is one transaction.
CREATE = """
    WITH made AS (
        INSERT INTO job (org_id, id, type, event_seq, created_at) VALUES ($1, $2, 'work', 1, $3)
    )
    INSERT INTO job_event (org_id, job_id, seq, ts, next_status, attempt)
    VALUES ($1, $2, 1, $3, 'queued', 0)
"""
CHANGE = """
    WITH old AS (SELECT status FROM job WHERE org_id = $1 AND id = $2),
    changed AS (
        UPDATE job SET status = $4::text, event_seq = event_seq + 1,
            finished_at = CASE WHEN $4 = 'failed' THEN $3::timestamptz END
        WHERE org_id = $1 AND id = $2 RETURNING event_seq
    )
    INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt)
    SELECT $1, $2, event_seq, $3, old.status, $4, 1 FROM old, changed
"""
DELETE = "DELETE FROM job WHERE org_id = $1 AND id = $2"
NEXT = {"queued": "running", "running": "failed", "failed": "queued"}


async def keep_writing(url: str) -> None:
    """Create, change and delete jobs, as fast as it goes, until cancelled."""
    org, random = UUID(ORG), Random(1)
    connection = await asyncpg.connect(url)
    status: dict[UUID, str] = {}
    try:
        while True:
            chosen = random.choice([None, *status])
            if chosen is None and len(status) < AT_MOST_JOBS:
                chosen = uuid4()
                await connection.execute(CREATE, org, chosen, EPOCH)
                status[chosen] = "queued"
            elif chosen and random.random() < 0.2:
                await connection.execute(DELETE, org, chosen)
                del status[chosen]
            elif chosen:
                status[chosen] = NEXT[status[chosen]]
                await connection.execute(CHANGE, org, chosen, EPOCH, status[chosen])
    finally:
        await connection.close()


@pytest.fixture
async def _writer(database_url: str) -> AsyncIterator[None]:
    writing = asyncio.create_task(keep_writing(database_url))
    yield
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing


def check(answer: Any) -> None:
    """All parts of one answer tell of the same jobs."""
    nodes = answer["jobs"]["nodes"]
    by_status = Counter(node["status"] for node in nodes)
    assert answer["jobs"]["count"]["value"] == len(nodes) == answer["again"]["count"]["value"]
    assert {each["status"]: each["count"]["value"] for each in answer["statusCounts"]} == {
        status.name: by_status[status.name] for status in JobStatus
    }
    assert {each["key"]["status"]: each["count"] for each in answer["jobGroups"]} == by_status
    failed = [node["id"] for node in nodes if node["status"] == "FAILED"]
    assert [node["id"] for node in answer["failed"]["nodes"]] == failed
    assert answer["failed"]["count"]["value"] == len(failed)
    assert [bucket["created"] for bucket in answer["timeline"]] == [len(nodes)]
    for node in nodes:
        steps = [event["nextStatus"] for event in node["events"]["nodes"]]
        assert node["latestEvent"]["nextStatus"] == node["status"]
        assert node["events"]["count"]["value"] >= len(steps)
        assert len(node["attempts"]) == steps.count("RUNNING") or len(steps) == 50
    total = sum(node["events"]["count"]["value"] for node in nodes)
    assert answer["jobEvents"]["count"]["value"] == total


@pytest.mark.usefixtures("_writer")
async def test_an_answer_agrees_with_itself_while_jobs_change(service: Service) -> None:
    seen = set()
    for _ in range(ROUNDS):
        answer = await service.query(QUERY)
        check(answer)
        seen.add(str(answer["statusCounts"]))
    assert len(seen) > ROUNDS / 4, "the jobs must have changed meanwhile"


@pytest.fixture
async def one_job(database_url: str) -> tuple[str, str]:
    """An organisation with one job, which has one event."""
    org = uuid4()
    row = job(org_id=org)
    await insert(database_url, [row], events(row, "queued"))
    return str(org), str(row["id"])


async def test_many_root_fields_share_a_session(service: Service, one_job: tuple[str, str]) -> None:
    org, id_ = one_job
    kinds = [
        "jobs { nodes { id latestEvent { id } } count { value } }",
        "statusCounts { count { value } }",
        f'job(id: "{id_}") {{ id attempts {{ number }} events {{ count {{ value }} }} }}',
        "jobEvents { nodes { job { type } } }",
        "jobGroups(by: [TYPE]) { count wait { p50 } }",
    ]
    fields = "\n".join(f"f{number}: {kinds[number % 5]}" for number in range(25))
    answers = await asyncio.gather(
        *(service.query(f"{{ {fields} }}", Joblens_Org=org) for _ in range(8))
    )
    for answer in answers:
        assert len(answer) == 25
        assert all(answer[f"f{n}"] == answer[f"f{n % 5}"] for n in range(25))
    assert answers[0]["f2"]["events"]["count"]["value"] == 1


REFUSED = "events(first: -1) { nodes { id } }"


@pytest.mark.parametrize(
    "text",
    [
        "a: jobs(first: -1) { nodes { id } } b: jobs { nodes { latestEvent { id } } }",
        "b: job(id: $id) { type latestEvent { id } } a: jobs(first: -1) { nodes { id } }",
        "a: jobs(first: -1) { nodes { id } } b: nodes(ids: [$id]) { id }",
    ],
)
async def test_a_failed_field_leaves_no_connection_behind(
    service: Service, one_job: tuple[str, str], text: str
) -> None:
    org, id_ = one_job
    for _ in range(5):
        body = {"query": f"query ($id: ID!) {{ {text} x: job(id: $id) {{ id }} }}"}
        response = await service.client.post(
            "/graphql", json=body | {"variables": {"id": id_}}, headers={"joblens-org": org}
        )
        assert [e["extensions"]["code"] for e in response.json()["errors"]] == ["BAD_USER_INPUT"]
    await asyncio.sleep(0.05)
    assert service.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "field", ["latestEvent { id }", "attempts { number }", "events { __typename count { value } }"]
)
@pytest.mark.parametrize("failing_first", [True, False])
async def test_a_failed_field_takes_no_field_elsewhere_with_it(
    service: Service, one_job: tuple[str, str], field: str, failing_first: bool
) -> None:
    org, id_ = one_job
    failing = f"a: job(id: $id) {{ {field} x: {REFUSED} }}"
    whole = f"b: job(id: $id) {{ {field} }}"
    pair = [failing, whole] if failing_first else [whole, failing]
    query = f"query ($id: ID!) {{ {' '.join(pair)} }}"
    answer = (await service.post(query, {"id": id_}, Joblens_Org=org)).json()
    assert [error["path"] for error in answer["errors"]] == [["a", "x"]]
    assert answer["data"]["a"] is None
    alone = await service.query(f"query ($id: ID!) {{ {whole} }}", {"id": id_}, Joblens_Org=org)
    assert answer["data"]["b"] == alone["b"]
