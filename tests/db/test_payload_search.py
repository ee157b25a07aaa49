"""The function that searches payloads steps around row level security: for one organisation only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.queries.payloads import is_indexed
from tests.properties.predicates import contains
from tests.properties.varied import DOCUMENTS
from tests.support.effort import examples
from tests.support.ledger import insert, job
from tests.support.located import ids_at
from tests.support.service import ORG, OTHER_ORG

OWN, OTHER, EMPTY = UUID(ORG), UUID(OTHER_ORG), UUID(int=77)
ROLE = "joblens_search"
OURS = [job(n, payload=document) for n, document in enumerate(DOCUMENTS)]
THEIRS = [job(n, org_id=OTHER, payload={"a": 1, "theirs": n}) for n in range(5)]
INSUFFICIENT_PRIVILEGE = "42501"
SEARCH = "SELECT joblens_rows_containing($1::jsonb, $2, $3)"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [*OURS, *THEIRS], [])


async def search(
    app: Any, org: UUID | str, document: Any, most: int = 100, *, with_common: bool = False
) -> Any:
    await app.execute(f"SET LOCAL joblens.org_id = '{org}'")
    wanted = orjson.dumps(document).decode()
    return await ids_at(app, await app.fetchval(SEARCH, wanted, most, with_common))


@pytest.mark.parametrize(
    "document", [{"a": 1}, {"theirs": 1}, {str(OWN): {"a": 1}}, {str(OTHER): {"a": 1}}, [1]]
)
async def test_only_jobs_of_the_organisation_are_found(app: Any, document: Any) -> None:
    for org, rows in ((OWN, OURS), (OTHER, THEIRS), (EMPTY, [])):
        matching = {row["id"] for row in rows if contains(row["payload"], document)}
        assert set(await search(app, org, document)) == matching


async def test_without_an_organisation_nothing_is_found(app: Any) -> None:
    assert await app.fetchval(SEARCH, '{"a": 1}', 100, False) == []
    assert await search(app, "", {"a": 1}) == []


@pytest.mark.parametrize("org", ["%", "null", "00000000-0000-0000-0000-00000000000%"])
async def test_an_organisation_is_one_id(app: Any, org: str) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await search(app, org, {"a": 1})


async def test_a_table_of_the_caller_is_not_read_instead(app: Any) -> None:
    await app.execute("RESET ROLE; CREATE TEMP TABLE job AS SELECT * FROM public.job LIMIT 0")
    await app.execute("GRANT ALL ON pg_temp.job TO PUBLIC; SET LOCAL ROLE joblens_app")
    assert set(await search(app, OTHER, {"a": 1})) == {row["id"] for row in THEIRS}


@examples(60)
@given(document=st.sampled_from(DOCUMENTS))
async def test_what_is_indexed_is_found(database_url: str, document: Any) -> None:
    if not is_indexed(document):
        return
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE joblens_app")
            found: Sequence[UUID] = await search(connection, OWN, document)
    finally:
        await connection.close()
    assert set(found) == {row["id"] for row in OURS if contains(row["payload"], document)}


async def test_too_many_jobs_are_not_listed(app: Any) -> None:
    assert len(await search(app, OTHER, {"a": 1}, 5)) == 5
    assert await search(app, OTHER, {"a": 1}, 4) is None


async def test_what_is_common_is_not_searched(app: Any, database_url: str) -> None:
    org = UUID(int=78)
    await insert(database_url, [job(n, org_id=org, payload={"a": n % 2}) for n in range(80)], [])
    assert await search(app, org, {"a": 1}) is None
    assert len(await search(app, org, {"a": 1}, with_common=True)) == 40
    assert await search(app, org, {"a": 2}) == []


async def test_what_only_the_newest_jobs_have_is_not_common(app: Any, database_url: str) -> None:
    org = UUID(int=79)
    rows = [job(n, org_id=org, payload={"is_new": n >= 900}) for n in range(1_000)]
    await insert(database_url, rows, [])
    assert set(await search(app, org, {"is_new": True})) == {row["id"] for row in rows[900:]}


async def test_the_index_is_read(app: Any) -> None:
    scans = "SELECT pg_stat_get_xact_numscans($1::text::regclass)"
    before = [await app.fetchval(scans, name) for name in ("idx_job_payload", "job")]
    await search(app, OWN, {"a": {"b": {"c": "x"}}})
    after = [await app.fetchval(scans, name) for name in ("idx_job_payload", "job")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0]


async def test_nobody_else_may_call_it(app: Any) -> None:
    await app.execute("RESET ROLE; SET LOCAL ROLE pg_monitor")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetchval(SEARCH, "{}", 1, False)


async def test_its_role_may_do_nothing_else(app: Any) -> None:
    await app.execute("RESET ROLE")
    role = await app.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", ROLE)
    attributes = ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole", "rolcreatedb")
    assert not any(role[name] for name in (*attributes, "rolinherit", "rolreplication"))
    readable = await app.fetch(
        "SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges "
        "WHERE grantee = $1",
        ROLE,
    )
    assert {tuple(each) for each in readable} == {
        ("job", name, "SELECT")
        for name in (
            "org_id",
            "id",
            "payload",
            "last_error_message",
            "created_at",
            "tags",
            "status",
        )
    }
    assert await app.fetchval("SELECT has_column_privilege($1, 'job', 'ctid', 'SELECT')", ROLE)
    assert not await app.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", ROLE)
    owned = await app.fetch("SELECT proname FROM pg_proc WHERE proowner = $1::text::regrole", ROLE)
    assert {each["proname"] for each in owned} == {
        "joblens_jobs_containing",
        "joblens_jobs_with_error_text",
        "joblens_jobs_with_tags",
        "joblens_all_jobs_with_tags",
        "joblens_count_jobs_with_tags",
        "joblens_rows_containing",
        "joblens_rows_with_error_text",
        "joblens_rows_with_tags",
    }
    members = await app.fetchval(
        "SELECT count(*) FROM pg_auth_members WHERE member = $1::text::regrole", ROLE
    )
    assert members == 0
