"""Whatever any writer has ever put into the ledger is exported, and imported to the same bytes."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from db.json_values import Digits
from db.limits import MAX_JSON_BYTES
from db.transfer import export_records, import_records
from joblens import (
    IllegalTransitionError,
    InvalidJobError,
    JobRepository,
    JobStatus,
    create_worker_engine,
    session_scope,
)
from tests.support.effort import examples
from tests.support.service import Service, serving

MEBIBYTE = 1024 * 1024
CREATE = """mutation ($i: CreateJobInput!) { it: createJob(input: $i) {
  __typename ... on CreateJobPayload { job { id } } } }"""
MOVE = "mutation ($i: TransitionJobInput!) { it: transitionJob(input: $i) { __typename } }"
NOTE = "mutation ($i: RecordJobEventInput!) { it: recordJobEvent(input: $i) { __typename } }"
OPERATE = """mutation ($id: ID!, $r: String) {
  retryJob(id: $id, reason: $r) { __typename } cancelJob(id: $id, reason: $r) { __typename } }"""


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    roomy = {"max_json_bytes": str(4 * MEBIBYTE), "max_body_bytes": str(32 * MEBIBYTE)}
    async with serving(database_url, **roomy) as running:
        yield running


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_worker_engine(database_url)
    yield engine
    await engine.dispose()


async def check_round_trip(database_url: str, org: UUID) -> list[bytes]:
    """Import an export where its jobs are, and where there are none; export them again."""
    exported = [line async for line in export_records(database_url, org)]
    again = await import_records(database_url, org, exported)
    assert (again.unchanged, again.rejected) == (len(exported), 0)
    elsewhere = uuid4()
    refused: list[Any] = []
    report = await import_records(database_url, elsewhere, exported, on_reject=refused.append)
    assert [rejection.reason for rejection in refused] == []
    assert report.imported == len(exported)
    assert [line async for line in export_records(database_url, elsewhere)] == exported
    return exported


# A number as it is written: JSON has no other way to tell it from text here.
MARK = "\uffff number "
number_texts = st.one_of(
    st.integers(-(2**64), 2**65).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["1e30", "3.4e38", "1e308", "5e-324", "1e-1100", "1e400", "-0.0", "0.10", "1e5"]
    ),
)
texts = st.text(st.characters(exclude_categories=()), max_size=12)
nasty_texts = texts | st.sampled_from(["", "\0", "\ud83d", "\ud83d\ude00", "x" * 300, "é" * 10_001])
values = st.recursive(
    st.none() | st.booleans() | texts | number_texts.map(lambda text: MARK + text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
times = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
errors = st.fixed_dictionaries({}, optional={"code": nasty_texts, "message": nasty_texts})
details = st.fixed_dictionaries(
    {}, optional={"error_code": nasty_texts, "error_message": nasty_texts, "any": values}
)
names = texts.filter(bool) | st.sampled_from(["é" * 255, "t"])
steps = st.tuples(
    st.sampled_from(["api", "python"]),
    st.sampled_from([*JobStatus, "note", "operate"]),
    errors,
    details,
    st.none() | values,
)
jobs = st.fixed_dictionaries(
    {
        "writer": st.sampled_from(["api", "python", "import"]),
        "type": names,
        "payload": values,
        "scheduled_at": st.none() | times,
        "steps": st.lists(steps, max_size=6),
    }
)


def as_json(value: Any) -> str:
    """Write JSON with its numbers as they are written."""
    return re.sub(r'"\\uffff number ([^"]*)"', r"\1", json.dumps(value))


def as_python(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(MARK):
        return Digits(value.removeprefix(MARK))
    if isinstance(value, dict):
        return {key: as_python(item) for key, item in value.items()}
    return [as_python(item) for item in value] if isinstance(value, list) else value


class Writers:
    """Writes what is taken; what is refused is of no matter here."""

    def __init__(self, service: Service, engine: AsyncEngine, url: str, org: UUID) -> None:
        self.service, self.engine, self.url, self.org = service, engine, url, org

    async def ask(self, query: str, **variables: Any) -> Any:
        body = f'{{"query": {json.dumps(query)}, "variables": {as_json(variables)}}}'
        headers = {"content-type": "application/json", "joblens-org": str(self.org)}
        answer = (await self.service.client.post("/graphql", content=body, headers=headers)).json()
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= {"BAD_REQUEST", "BAD_USER_INPUT"}, answer
        return (answer.get("data") or {}).get("it")

    async def live(self, job: dict[str, Any]) -> None:
        job_id = await getattr(self, f"create_by_{job['writer']}")(job)
        for writer, to, error, detail, result in job["steps"] if job_id else ():
            await getattr(self, f"step_by_{writer}")(job_id, to, error, detail, result)

    async def create_by_api(self, job: dict[str, Any]) -> str | None:
        at = job["scheduled_at"]
        wanted = {
            "type": job["type"],
            "payload": job["payload"],
            "scheduledAt": at and at.isoformat(),
        }
        made = await self.ask(CREATE, i=wanted)
        return made["job"]["id"] if made and "job" in made else None

    async def create_by_python(self, job: dict[str, Any]) -> str | None:
        async with session_scope(self.org, engine=self.engine) as session:
            with suppress(InvalidJobError):
                made = await JobRepository(session, by="worker").create_job(
                    job["type"], payload=as_python(job["payload"]), scheduled_at=job["scheduled_at"]
                )
                return str(made.job.id)
        return None

    async def create_by_import(self, job: dict[str, Any]) -> str | None:
        job_id = str(uuid4())
        record = {
            "id": job_id,
            "type": job["type"],
            "status": "queued",
            "created_at": "2026-01-01T00:00:00Z",
            "payload": job["payload"],
            "scheduled_at": job["scheduled_at"] and job["scheduled_at"].isoformat(),
        }
        report = await import_records(self.url, self.org, [as_json(record).encode()])
        return job_id if report.imported else None

    async def step_by_api(
        self, job_id: str, to: str, error: dict[str, str], detail: Any, result: Any
    ) -> None:
        if to == "note":
            await self.ask(NOTE, i={"id": job_id, "detail": detail})
        elif to == "operate":
            await self.ask(OPERATE, id=job_id, r=error.get("message"))
        else:
            told = {"errorCode": error.get("code"), "errorMessage": error.get("message")}
            wanted = {"id": job_id, "to": to.upper(), **told, "detail": detail, "result": result}
            await self.ask(MOVE, i=wanted)

    async def step_by_python(
        self, job_id: str, to: str, error: dict[str, str], detail: Any, result: Any
    ) -> None:
        async with session_scope(self.org, engine=self.engine) as session:
            repository = JobRepository(session, by="worker")
            with suppress(InvalidJobError, IllegalTransitionError):
                if to == "note":
                    await repository.log_job_event(UUID(job_id), as_python(detail))
                    return
                await repository.update_job_status(
                    UUID(job_id),
                    JobStatus.QUEUED if to == "operate" else JobStatus(to),
                    error_code=error.get("code"),
                    error_message=error.get("message"),
                    detail=as_python(detail),
                    result=as_python(result),
                    by_operator=to == "operate",
                )


@examples(30, suppress_health_check=list(HealthCheck))
@given(lives=st.lists(jobs, min_size=1, max_size=4))
async def test_what_any_writer_wrote(
    service: Service, engine: AsyncEngine, database_url: str, lives: list[dict[str, Any]]
) -> None:
    writers = Writers(service, engine, database_url, uuid4())
    for job in lives:
        await writers.live(job)
    await check_round_trip(database_url, writers.org)


async def test_details_that_grew_after_they_were_measured(
    service: Service, engine: AsyncEngine, database_url: str
) -> None:
    writers = Writers(service, engine, database_url, uuid4())
    job_id = await writers.create_by_python({"type": "t", "payload": None, "scheduled_at": None})
    assert job_id
    fits = {"text": "x" * (MAX_JSON_BYTES - 60)}
    error = {"code": "E" * 255, "message": "é" * 10_000}
    await writers.step_by_python(job_id, "running", {}, {}, None)
    await writers.step_by_python(job_id, "failed", error, fits, None)
    (line,) = await check_round_trip(database_url, writers.org)
    detail = orjson.loads(line)["events"][-1]["detail"]
    assert len(orjson.dumps(detail)) > MAX_JSON_BYTES


async def test_documents_of_a_raised_limit(
    service: Service, engine: AsyncEngine, database_url: str
) -> None:
    writers = Writers(service, engine, database_url, uuid4())
    large = {"numbers": [MARK + "1e-1000"] * 2_000, "text": "x" * (2 * MEBIBYTE - 10_000)}
    wanted = {"type": "t", "payload": large, "scheduled_at": None}
    job_id = await writers.create_by_api(wanted)
    assert job_id
    for to, detail, result in (("running", large, None), ("succeeded", large, large)):
        await writers.step_by_api(job_id, to, {}, detail, result)
    (line,) = await check_round_trip(database_url, writers.org)
    assert len(line) > 8 * MEBIBYTE


async def test_a_history_of_many_mebibytes(
    service: Service, engine: AsyncEngine, database_url: str
) -> None:
    writers = Writers(service, engine, database_url, uuid4())
    job_id = await writers.create_by_api({"type": "t", "payload": None, "scheduled_at": None})
    async with session_scope(writers.org, engine=engine) as session:
        repository = JobRepository(session)
        for _ in range(80):
            await repository.log_job_event(UUID(job_id), {"text": "x" * (MAX_JSON_BYTES - 100)})
    (line,) = await check_round_trip(database_url, writers.org)
    assert len(line) > 16 * MEBIBYTE
