"""The functions that search tags step around row level security: for one organisation only."""

from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from tests.support.ledger import insert, job
from tests.support.located import ids_at
from tests.support.service import ORG, OTHER_ORG

OWN, OTHER, EMPTY = UUID(ORG), UUID(OTHER_ORG), UUID(int=77)
TAGS: list[list[str] | None] = [
    None,
    [],
    ["a"],
    ["a", "b"],
    ["b", "a\\b", "%"],
    [str(OTHER)],
    ["a", str(OWN)],
]
STATUSES = ("queued", "failed")
OURS = [job(n, tags=tags, status=STATUSES[n % 2]) for n, tags in enumerate(TAGS)]
THEIRS = [job(n, org_id=OTHER, tags=["a", f"theirs {n}"]) for n in range(5)]
SEARCH = "SELECT joblens_rows_with_tags($1::jsonb, $2, false)"
SEARCH_ALL = "SELECT joblens_rows_with_tags($1::jsonb, $2, true)"
COUNT = "SELECT with_status, jobs FROM joblens_count_jobs_with_tags($1::jsonb)"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [*OURS, *THEIRS], [])


each_search = pytest.mark.parametrize("sql", [SEARCH, SEARCH_ALL], ids=["few", "all"])


async def search(
    app: Any, org: UUID | str, tags: Any, most: int = 100, *, sql: str = SEARCH
) -> Any:
    await app.execute(f"SET LOCAL joblens.org_id = '{org}'")
    return await ids_at(app, await app.fetchval(sql, orjson.dumps(tags).decode(), most))


async def count(app: Any, org: UUID | str, tags: Any) -> dict[str, int]:
    await app.execute(f"SET LOCAL joblens.org_id = '{org}'")
    return dict(await app.fetch(COUNT, orjson.dumps(tags).decode()))


@pytest.mark.parametrize(
    "tags",
    [["a"], ["a", "b"], ["%"], ["a\\b", "b"], ["theirs 1"], [str(OWN)], [str(OTHER)], ["none"]],
    ids=str,
)
async def test_only_jobs_of_the_organisation_are_found(app: Any, tags: list[str]) -> None:
    for org, rows in ((OWN, OURS), (OTHER, THEIRS), (EMPTY, [])):
        matching = {row["id"] for row in rows if set(tags) <= set(row["tags"] or ())}
        for sql in (SEARCH, SEARCH_ALL):
            assert set(await search(app, org, tags, sql=sql)) == matching
        statuses = Counter(row["status"] for row in rows if row["id"] in matching)
        assert await count(app, org, tags) == statuses


async def test_without_an_organisation_nothing_is_found(app: Any) -> None:
    for sql in (SEARCH, SEARCH_ALL):
        assert await app.fetchval(sql, '["a"]', 100) == []
        assert await search(app, "", ["a"], sql=sql) == []
    assert await count(app, "", ["a"]) == {}


async def test_an_organisation_is_one_id(app: Any) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await search(app, "%", ["a"])


async def test_an_organisation_is_one_id_in_counts(app: Any) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await count(app, "%", ["a"])


async def test_another_document_leads_to_no_other_organisation(app: Any) -> None:
    for document in ({str(OTHER): ["a"]}, {"a": 1}, [{str(OTHER): "a"}]):
        for sql in (SEARCH, SEARCH_ALL):
            assert await search(app, OWN, document, sql=sql) == []
        assert await count(app, OWN, document) == {}


async def test_no_tags_are_not_searched(app: Any) -> None:
    assert await search(app, OWN, []) is None
    assert await search(app, OWN, [], sql=SEARCH_ALL) is None
    assert await count(app, OWN, []) == {}


async def test_a_table_of_the_caller_is_not_read_instead(app: Any) -> None:
    await app.execute("RESET ROLE; CREATE TEMP TABLE job AS SELECT * FROM public.job LIMIT 0")
    await app.execute("GRANT ALL ON pg_temp.job TO PUBLIC; SET LOCAL ROLE joblens_app")
    for sql in (SEARCH, SEARCH_ALL):
        assert set(await search(app, OTHER, ["a"], sql=sql)) == {row["id"] for row in THEIRS}
    assert await count(app, OTHER, ["a"]) == {"queued": len(THEIRS)}


@each_search
async def test_too_many_jobs_are_not_listed(app: Any, sql: str) -> None:
    assert len(await search(app, OTHER, ["a"], 5, sql=sql)) == 5
    assert await search(app, OTHER, ["a"], 4, sql=sql) is None


async def test_what_is_common_is_not_searched(app: Any, database_url: str) -> None:
    org = UUID(int=78)
    await insert(database_url, [job(n, org_id=org, tags=[str(n % 2)]) for n in range(80)], [])
    assert await search(app, org, ["1"]) is None
    assert await search(app, org, ["2"]) == []
    # Counts need them all the same.
    assert len(await search(app, org, ["1"], sql=SEARCH_ALL)) == 40
    assert await count(app, org, ["1"]) == {"queued": 40}


async def test_what_only_the_newest_jobs_have_is_not_common(app: Any, database_url: str) -> None:
    org = UUID(int=79)
    rows = [job(n, org_id=org, tags=["new"] if n >= 900 else ["old"]) for n in range(1_000)]
    await insert(database_url, rows, [])
    assert set(await search(app, org, ["new"])) == {row["id"] for row in rows[900:]}


@pytest.mark.parametrize("ask", [search, partial(search, sql=SEARCH_ALL), count])
async def test_the_index_is_read(app: Any, ask: Any) -> None:
    scans = "SELECT pg_stat_get_xact_numscans($1::text::regclass)"
    before = [await app.fetchval(scans, name) for name in ("idx_job_tags", "job")]
    await ask(app, OWN, ["a", "b"])
    after = [await app.fetchval(scans, name) for name in ("idx_job_tags", "job")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0]


@pytest.mark.parametrize(
    ("sql", "given"), [(SEARCH, ("[]", 1)), (SEARCH_ALL, ("[]", 1)), (COUNT, ("[]",))]
)
async def test_nobody_else_may_call_them(app: Any, sql: str, given: Any) -> None:
    await app.execute("RESET ROLE; SET LOCAL ROLE pg_monitor")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetchval(sql, *given)


@pytest.mark.parametrize("tags", [{"a": 1}, "a", ["a", 1], ["a", None], ["a", ["b"]], [{}]])
async def test_tags_are_a_list_of_texts(app: Any, tags: Any) -> None:
    await app.execute("RESET ROLE")
    with pytest.raises(asyncpg.CheckViolationError):
        await app.execute(
            "UPDATE job SET tags = $1::jsonb WHERE id = $2",
            orjson.dumps(tags).decode(),
            OURS[0]["id"],
        )
