"""Bulk mutations: dry runs, jobs that changed since they were seen, and what is told of the skipped."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.support.ledger import EPOCH, events, insert, job
from tests.support.service import Service

COUNTS = "matched { value isExact } skipped skips { reason status count } samples { id payload }"
CHANGE = f"""mutation ($f: JobFilter!, $n: Int! = 100, $dry: Boolean! = false, $asOf: DateTime) {{
  it: %s(filter: $f, limit: $n, dryRun: $dry, asOf: $asOf) {{
    {COUNTS} changed jobs {{ id status }} }} }}"""
DELETE = f"""mutation ($f: JobFilter!, $n: Int! = 100, $dry: Boolean! = false, $asOf: DateTime) {{
  it: deleteJobs(filter: $f, limit: $n, dryRun: $dry, asOf: $asOf) {{ {COUNTS} deleted }} }}"""
MINUTE = timedelta(minutes=1)


async def ten(url: str) -> tuple[dict[str, Any], list[str]]:
    """Insert ten jobs; get a filter that they match, and their ids, newest first."""
    type_ = uuid4().hex
    rows = [
        job(n, type=type_, status="queued" if n % 3 else "succeeded", payload={"n": n})
        for n in range(10)
    ]
    await insert(url, rows, [each for row in rows for each in events(row, "queued")])
    return {"type": {"eq": type_}}, [str(row["id"]) for row in reversed(rows)]


async def stored(url: str, ids: list[str]) -> list[Any]:
    connection = await asyncpg.connect(url)
    wanted = [UUID(id_) for id_ in ids]
    rows: list[Any] = await connection.fetch("SELECT * FROM job WHERE id = ANY($1)", wanted)
    rows += await connection.fetch("SELECT * FROM job_event WHERE job_id = ANY($1)", wanted)
    await connection.close()
    return sorted(rows, key=repr)


@pytest.mark.parametrize("query", [CHANGE % "cancelJobs", DELETE])
async def test_a_dry_run_writes_nothing(service: Service, database_url: str, query: str) -> None:
    filter_, ids = await ten(database_url)
    before = await stored(database_url, ids)
    with service.recorded() as statements:
        answer = (await service.query(query, {"f": filter_, "dry": True}))["it"]
    assert {statement.split()[0] for statement in statements} == {"SELECT"}
    assert not any("FOR UPDATE" in statement for statement in statements)
    assert await stored(database_url, ids) == before
    assert answer["matched"] == {"value": 10, "isExact": True}
    assert len(answer["samples"]) == 5
    assert answer.get("changed", 0) == answer.get("deleted", 0) == len(answer.get("jobs", [])) == 0


async def test_a_dry_run_tells_what_would_be_skipped(service: Service, database_url: str) -> None:
    filter_, _ = await ten(database_url)
    given = {"f": filter_, "asOf": (EPOCH + 7 * MINUTE).isoformat(), "n": 9}
    dry = (await service.query(CHANGE % "cancelJobs", {**given, "dry": True}))["it"]
    assert dry["matched"] == {"value": 9, "isExact": False}
    assert dry["skips"] == [
        {"reason": "STATUS", "status": "SUCCEEDED", "count": 2},
        {"reason": "CHANGED_SINCE", "status": "QUEUED", "count": 1},
        {"reason": "CHANGED_SINCE", "status": "SUCCEEDED", "count": 1},
    ]
    assert dry["skipped"] == 4
    assert [each["payload"]["n"] for each in dry["samples"]] == [7, 5, 4, 2, 1]
    real = (await service.query(CHANGE % "cancelJobs", given))["it"]
    assert [each["id"] for each in real["jobs"]] == [each["id"] for each in dry["samples"]]
    assert (real["changed"], real["samples"]) == (5, [])
    assert {each: real[each] for each in ("matched", "skipped", "skips")} == {
        each: dry[each] for each in ("matched", "skipped", "skips")
    }


async def test_what_changed_since_is_not_deleted(service: Service, database_url: str) -> None:
    filter_, ids = await ten(database_url)
    given = {"f": filter_, "asOf": (EPOCH + 7 * MINUTE).isoformat()}
    skips = [
        {"reason": "CHANGED_SINCE", "status": "QUEUED", "count": 1},
        {"reason": "CHANGED_SINCE", "status": "SUCCEEDED", "count": 1},
    ]
    dry = (await service.query(DELETE, {**given, "dry": True}))["it"]
    assert [each["id"] for each in dry["samples"]] == ids[2:7]
    real = (await service.query(DELETE, given))["it"]
    assert dry["skips"] == real["skips"] == skips
    assert (real["deleted"], real["skipped"]) == (8, 2)


@pytest.mark.parametrize(
    ("as_of", "changed"),
    [
        ("9999-12-31T23:59:59.999999Z", 6),
        ("2026-01-01T00:08:00Z", 6),
        ("2026-01-01T00:07:59.999999Z", 5),
        ("0001-01-01T00:00:00Z", 0),
        (None, 6),
    ],
)
async def test_a_job_that_changed_at_that_time_had_been_seen(
    service: Service, database_url: str, as_of: str | None, changed: int
) -> None:
    filter_, _ = await ten(database_url)
    answer = (await service.query(CHANGE % "cancelJobs", {"f": filter_, "asOf": as_of}))["it"]
    assert answer["changed"] == changed


async def test_a_job_that_is_locked_is_told_as_such(service: Service, database_url: str) -> None:
    filter_, ids = await ten(database_url)
    connection = await asyncpg.connect(database_url)
    lock = "SELECT 1 FROM job WHERE id = ANY($1) FOR UPDATE"
    told = [{"reason": "CONCURRENT_CHANGE", "status": "QUEUED", "count": 1}]
    async with connection.transaction():
        await connection.execute(lock, [UUID(ids[1])])
        given = {"f": {**filter_, "status": ["QUEUED"]}}
        dry = (await service.query(CHANGE % "cancelJobs", {**given, "dry": True}))["it"]
        assert dry["skips"] == []
        assert (await service.query(CHANGE % "cancelJobs", given))["it"]["skips"] == told
        assert (await service.query(DELETE, given))["it"]["skips"] == told
    await connection.close()


@pytest.mark.parametrize("query", [CHANGE % "cancelJobs", DELETE])
async def test_only_jobs_with_the_payload_are_taken(
    service: Service, database_url: str, query: str
) -> None:
    filter_, ids = await ten(database_url)
    wanted = {**filter_, "payloadContains": {"n": 4}}
    answer = (await service.query(query, {"f": wanted}))["it"]
    assert answer["matched"] == {"value": 1, "isExact": True}
    assert answer.get("changed", answer.get("deleted")) == 1
    left = {row["id"]: row["status"] for row in await stored(database_url, ids) if "type" in row}
    changed = UUID(ids[9 - 4])
    assert left.pop(changed, "canceled") == "canceled"
    assert len(left) == 9
    assert "canceled" not in left.values()
