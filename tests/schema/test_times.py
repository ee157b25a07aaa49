"""Times at the ends of the years that there are, and beyond them: one rule at every entrance."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.queries.keyset import JobOrderField
from db.times import LAST
from db.transfer import export_records, import_records
from joblens import (
    Backoff,
    InvalidJobError,
    JobRepository,
    JobStatus,
    session_scope,
)
from tests.support.ledger import EPOCH, events, insert, job
from tests.support.service import Service

FIRST_TEXT, LAST_TEXT = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
# As it is written, as it is answered.
ENDS = {
    FIRST_TEXT: FIRST_TEXT,
    "0001-01-01T00:00:00.000001Z": "0001-01-01T00:00:00.000001Z",
    "0001-01-01T01:00:00+01:00": FIRST_TEXT,
    "9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z",
    "9999-12-31 23:59:59.9999999Z": LAST_TEXT,
    "9999-12-31T18:59:59.999999-05:00": LAST_TEXT,
}
NO_TIMES = ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "infinity", "-infinity"]
# What only other programs write.
BEYOND = ["infinity", "-infinity", "10000-01-01 00:00:00+00", "4713-01-01 00:00:00+00 BC"]
USES = [
    'mutation createJob(input: {type: "t", scheduledAt: AT}) { __typename }',
    "query jobs(filter: {createdAt: {gte: AT}}) { nodes { id } }",
    "query timeline(from: AT, until: AT, bucket: DAY) { start }",
]
FIELDS = "createdAt updatedAt scheduledAt startedAt finishedAt"
EVERYTHING = f"""{{
  jobs(first: 20) {{ count {{ value }} nodes {{
    id {FIELDS} waitSeconds runSeconds
    attempts {{ startedAt finishedAt runSeconds }}
    latestEvent {{ ts }} events {{ nodes {{ ts }} }}
  }} }}
  jobEvents(first: 20) {{ nodes {{ ts }} }}
  jobGroups(by: [STATUS]) {{ count oldestCreatedAt newestCreatedAt
    wait {{ count avg min max p99 }} run {{ count avg min max p99 }} }}
  statusCounts {{ status count {{ value }} }}
}}"""
CREATE = """mutation ($at: DateTime, $t: String!) {
  createJob(input: {type: $t, scheduledAt: $at}) {
    ... on CreateJobPayload { job { id scheduledAt waitSeconds } } } }"""
LIFE = ["queued", "running", "failed"]


async def is_stored(tables: Any, job_id: str) -> str:
    """Get what PostgreSQL holds of a schedule, which must never be infinity."""
    text: str = await tables.fetchval(
        "SELECT (scheduled_at AT TIME ZONE 'UTC')::text FROM job WHERE id = $1", UUID(job_id)
    )
    return text.replace(" ", "T") + "Z"


@pytest.mark.parametrize("written", ENDS)
async def test_the_ends_of_time_are_kept(service: Service, tables: Any, written: str) -> None:
    type_ = uuid4().hex
    made = (await service.query(CREATE, {"at": written, "t": type_}))["createJob"]["job"]
    assert made["scheduledAt"] == ENDS[written]
    assert await is_stored(tables, made["id"]) == ENDS[written]
    assert made["waitSeconds"] is not None
    in_document = CREATE.replace("$at: DateTime, ", "").replace("$at", f'"{written}"')
    again = (await service.query(in_document, {"t": type_}))["createJob"]["job"]
    assert again["scheduledAt"] == ENDS[written]
    found = """query ($f: JobFilter) { jobs(filter: $f) { nodes { waitSeconds } }
      jobGroups(by: [TYPE], filter: $f) { wait { count max } } }"""
    same = {"type": {"eq": type_}, "scheduledAt": {"gte": written}}
    answer = await service.query(found, {"f": same})
    assert len(answer["jobs"]["nodes"]) == 2
    assert answer["jobGroups"][0]["wait"]["count"] == 2
    earlier = {"type": {"eq": type_}, "scheduledAt": {"lt": written}}
    assert (await service.query(found, {"f": earlier}))["jobs"]["nodes"] == []


@pytest.mark.parametrize("written", NO_TIMES)
@pytest.mark.parametrize("use", USES)
async def test_what_is_no_time_is_refused(service: Service, use: str, written: str) -> None:
    for declared, given, variables in (
        ("($at: DateTime!)", "$at", {"at": written}),
        ("", f'"{written}"', {}),
    ):
        query = f"{use.split(maxsplit=1)[0]} {declared} {{ {use.split(maxsplit=1)[1]} }}".replace(
            "AT", given
        )
        errors = await service.errors(query, variables)
        codes = {error["extensions"]["code"] for error in errors}
        assert codes <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


async def test_a_repository_keeps_the_ends_too(engine: AsyncEngine, tables: Any) -> None:
    west = timezone(timedelta(hours=-5))
    async with session_scope(uuid4(), engine=engine) as session:
        repository = JobRepository(session)
        for time in (
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            datetime(9999, 12, 31, 18, 59, 59, 999999, tzinfo=west),
        ):
            made = (await repository.create_job("t", scheduled_at=time)).job
            assert made.scheduled_at == time
            assert (await repository.get_job_by_id(made.id)).scheduled_at == time  # type: ignore[union-attr]
        due = await repository.get_queued_jobs(10)
        assert [row.scheduled_at.year for row in due] == [1]
        for time in (datetime(9999, 12, 31), datetime.max.replace(tzinfo=west)):  # noqa: DTZ001
            with pytest.raises(InvalidJobError, match="scheduled_at"):
                await repository.create_job("t", scheduled_at=time)


async def test_a_repository_does_not_write_infinity_on(
    engine: AsyncEngine, tables: Any, database_url: str
) -> None:
    org_id = uuid4()
    row = job(org_id=org_id)
    await insert(database_url, [row])
    await tables.execute("UPDATE job SET scheduled_at = 'infinity' WHERE id = $1", row["id"])
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        met = await repository.get_job_by_id(row["id"])
        assert met is not None
        assert met.scheduled_at == LAST
        with pytest.raises(InvalidJobError, match="scheduled_at"):
            await repository.create_job("t", scheduled_at=met.scheduled_at)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan"), 1e300])
async def test_a_backoff_past_reason_is_refused(seconds: float) -> None:
    for name in ("base_seconds", "cap_seconds"):
        with pytest.raises(ValueError, match="wait"):
            Backoff(**{name: seconds})


async def test_a_long_backoff_holds(engine: AsyncEngine) -> None:
    year = 366 * 86_400
    async with session_scope(uuid4(), engine=engine) as session:
        repository = JobRepository(session, backoff=Backoff(year, year))
        made = (await repository.create_job("t")).job
        for status in (JobStatus.RUNNING, JobStatus.FAILED, JobStatus.QUEUED):
            made = await repository.update_job_status(made.id, status)
        assert made.scheduled_at - made.updated_at > timedelta(days=300)


@pytest.mark.parametrize("time", BEYOND)
async def test_what_others_wrote_breaks_nothing(
    service: Service, tables: Any, database_url: str, time: str
) -> None:
    org = uuid4()
    rows = [
        job(n, org_id=org, status=status, attempt=int(status != "queued"), scheduled_at=EPOCH)
        for n in range(2)
        for status in LIFE
    ]
    told = [event for row in rows for event in events(row, *LIFE[: LIFE.index(row["status"]) + 1])]
    await insert(database_url, rows, told)
    times = ("created_at", "updated_at", "scheduled_at", "started_at", "finished_at")
    sets = ", ".join(f"{name} = CASE WHEN {name} IS NOT NULL THEN $2 END" for name in times)
    for statement in (
        f"UPDATE job SET {sets} WHERE org_id = $1",
        "UPDATE job_event SET ts = $2 WHERE org_id = $1",
    ):
        await tables.execute(statement.replace("$2", f"'{time}'::timestamptz"), org)

    end = FIRST_TEXT if time.startswith("-") or time.endswith("BC") else LAST_TEXT
    answer = await service.query(EVERYTHING, Joblens_Org=str(org))
    for node in answer["jobs"]["nodes"]:
        assert {node[name] for name in FIELDS.split()} <= {end, None}
        assert {event["ts"] for event in node["events"]["nodes"]} == {end}
    waits = [node["waitSeconds"] for node in answer["jobs"]["nodes"]]
    groups = answer["jobGroups"]
    assert sum(group["wait"]["count"] for group in groups) == len(waits)
    assert max(group["wait"]["max"] for group in groups) == pytest.approx(max(waits), abs=60)
    assert {group["oldestCreatedAt"] for group in groups} == {end}

    lines = [line async for line in export_records(database_url, org)]
    assert {orjson.loads(line)["created_at"] for line in lines} == {end}
    again = await import_records(database_url, org, lines)
    assert (again.unchanged, again.rejected) == (len(rows), 0)
    elsewhere = uuid4()
    assert (await import_records(database_url, elsewhere, lines)).imported == len(rows)
    assert [line async for line in export_records(database_url, elsewhere)] == lines


@pytest.mark.parametrize("field", [field.name for field in JobOrderField])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_go_through_what_others_wrote(
    service: Service, tables: Any, database_url: str, field: str, direction: str
) -> None:
    org = uuid4()
    rows = [job(n, org_id=org, status=s) for n in range(3) for s in ("queued", "succeeded")]
    rows += [job(n, org_id=org, status="succeeded") for n in range(2 * len(BEYOND))]
    told = [event for row in rows for event in events(row, "queued")]
    await insert(database_url, rows, told)
    for row, time in zip(rows[6:], BEYOND * 2, strict=True):
        sets = ", ".join(f"{c} = '{time}'" for c in ("created_at", "updated_at", "finished_at"))
        await tables.execute(f"UPDATE job SET {sets} WHERE id = $1", row["id"])
        await tables.execute(f"UPDATE job_event SET ts = '{time}' WHERE job_id = $1", row["id"])
    jobs = f"""query ($after: String) {{
      jobs(first: 1, after: $after, orderBy: {{field: {field}, direction: {direction}}}) {{
        nodes {{ id }} pageInfo {{ endCursor hasNextPage hasPreviousPage }} }} }}"""
    happened = """query ($after: String) { jobEvents(first: 1, after: $after) {
        nodes { id } pageInfo { endCursor hasNextPage hasPreviousPage } } }"""
    for query, name in ((jobs, "jobs"), (happened, "jobEvents")):
        seen: list[str] = []
        after = None
        for number in range(len(rows)):
            page = (await service.query(query, {"after": after}, Joblens_Org=str(org)))[name]
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            assert page["pageInfo"]["hasNextPage"] == (number < len(rows) - 1)
            assert page["pageInfo"]["hasPreviousPage"] == (number > 0)
        assert len(set(seen)) == len(rows)


@pytest.mark.parametrize("bucket", ["MINUTE", "HOUR", "DAY", "WEEK"])
async def test_timelines_reach_both_ends(service: Service, tables: Any, bucket: str) -> None:
    query = """query ($from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!) {
      timeline(from: $from, until: $until, bucket: $bucket) { start created } }"""
    for start, until in (
        (FIRST_TEXT, "0001-01-01T00:10:00Z"),
        ("9999-12-31T23:50:00Z", LAST_TEXT),
    ):
        wanted = {"from": start, "until": until, "bucket": bucket}
        assert (await service.query(query, wanted))["timeline"]
    (error,) = await service.errors(
        query, {"from": FIRST_TEXT, "until": LAST_TEXT, "bucket": bucket}
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("cursor_time", [2**63, -(2**63) - 1, 10**30])
async def test_a_cursor_past_all_times_is_none(service: Service, cursor_time: int) -> None:
    packed = urlsafe_b64encode(
        f'["CREATED_AT:DESC",{cursor_time + 946_684_800_000_000},"{uuid4()}"]'.encode()
    )
    query = "query ($c: String) { jobs(after: $c) { nodes { id } } }"
    (error,) = await service.errors(query, {"c": packed.decode().rstrip("=")})
    assert error["extensions"] == {"code": "INVALID_CURSOR"}
