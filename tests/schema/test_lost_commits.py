"""A COMMIT that is lost on its way, or answered by an error: each mutation tells what came of it."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import asyncpg
import pytest

from resolvers.errors import ErrorCode
from schema.schema import core_schema
from tests.server.audit.lines import listening
from tests.support.ledger import insert, job
from tests.support.proxy import Proxy, proxy
from tests.support.service import Service, serving

# A call of every mutation, on a job of this status.
CALLS: dict[str, tuple[str, str]] = {
    "createJob": ("queued", 'createJob(input: {type: "t"})'),
    "createJobs": ("queued", 'createJobs(input: [{type: "t"}, {type: "t"}])'),
    "transitionJob": ("queued", 'transitionJob(input: {id: "ID", to: RUNNING})'),
    "transitionJobs": ("queued", 'transitionJobs(input: [{id: "ID", to: RUNNING}])'),
    "recordJobEvent": ("queued", 'recordJobEvent(input: {id: "ID", detail: {}})'),
    "recordFacts": (
        "queued",
        'recordFacts(source: {name: "s", kind: "k"}, facts: '
        '[{externalId: "ID", ts: "2026-01-01T00:00:00Z", status: QUEUED}])',
    ),
    "cancelJob": ("queued", 'cancelJob(id: "ID")'),
    "retryJob": ("failed", 'retryJob(id: "ID")'),
    "rerunJob": ("failed", 'rerunJob(id: "ID")'),
    "rescheduleJob": ("queued", 'rescheduleJob(id: "ID")'),
    "cancelJobs": ("queued", 'cancelJobs(filter: {ids: ["ID"]})'),
    "retryJobs": ("failed", 'retryJobs(filter: {ids: ["ID"]})'),
    "deleteJobs": ("running", 'deleteJobs(filter: {ids: ["ID"]})'),
}
STATE = "SELECT array_agg((id, event_seq, status) ORDER BY id)::text FROM job"


@pytest.fixture(scope="module")
async def lossy(database_url: str) -> AsyncIterator[Proxy]:
    async with proxy(database_url) as running:
        yield running


@pytest.fixture(scope="module")
async def service(lossy: Proxy) -> AsyncIterator[Service]:
    async with serving(lossy.url) as running:
        yield running


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def call(service: Service, database_url: str, name: str) -> Any:
    status, text = CALLS[name]
    row = job(status=status)
    await insert(database_url, [row])
    return f"mutation {{ {text.replace('ID', str(row['id']))} {{ __typename }} }}"


def test_no_mutation_is_missing() -> None:
    assert core_schema.mutation_type is not None
    assert set(CALLS) == set(core_schema.mutation_type.fields)


@pytest.mark.parametrize("loses", ["request", "answer"])
@pytest.mark.parametrize("name", CALLS)
async def test_a_commit_that_is_lost(
    service: Service,
    lossy: Proxy,
    owner: Any,
    database_url: str,
    name: str,
    loses: Literal["request", "answer"],
) -> None:
    document = await call(service, database_url, name)
    before = await owner.fetchval(STATE)
    lossy.loses = loses
    with listening() as lines:
        response = await service.post(document)
    lossy.loses = None
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "COMMIT_UNCERTAIN"}
    assert error["path"] == [name]
    line = lines.one()
    assert (line["event"], line["outcome"]) == ("mutation", "COMMIT_UNCERTAIN")
    assert line["fields"] == [{"field": name, "outcome": "COMMIT_UNCERTAIN"}]
    # It is said for a reason.
    assert (await owner.fetchval(STATE) == before) == (loses == "request")
    # The others are none the worse for it.
    await service.query(document.replace("mutation", "mutation Again"))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("40001", ErrorCode.UNAVAILABLE),
        ("40P01", ErrorCode.UNAVAILABLE),
        ("57014", ErrorCode.TIMEOUT),
        ("23514", ErrorCode.INTERNAL_SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("name", CALLS)
async def test_a_commit_that_is_answered_by_an_error(
    service: Service, owner: Any, database_url: str, name: str, state: str, code: ErrorCode
) -> None:
    document = await call(service, database_url, name)
    before = await owner.fetchval(STATE)
    # It is raised when COMMIT comes.
    await owner.execute(
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$;"
        "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON job_event DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fail();"
        "CREATE CONSTRAINT TRIGGER fail AFTER DELETE ON job DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    try:
        response = await service.post(document)
    finally:
        await owner.execute("DROP FUNCTION fail CASCADE")
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": code.value}
    assert await owner.fetchval(STATE) == before


async def test_a_creation_with_a_key_may_be_repeated(service: Service, lossy: Proxy) -> None:
    field = 'createJob(input: {type: "t", idempotencyKey: "lost"}) { ... on CreateJobPayload { created } }'
    lossy.loses = "answer"
    response = await service.post(f"mutation {{ {field} }}")
    lossy.loses = None
    assert response.json()["errors"][0]["extensions"]["code"] == "COMMIT_UNCERTAIN"
    again = await service.query(f"mutation {{ {field} }}")
    assert again == {"createJob": {"created": False}}
