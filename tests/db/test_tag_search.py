"""The function that searches tags steps around row level security: for one organisation only."""

from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from tests.support.ledger import insert, job
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
OURS = [job(n, tags=tags) for n, tags in enumerate(TAGS)]
THEIRS = [job(n, org_id=OTHER, tags=["a", f"theirs {n}"]) for n in range(5)]
SEARCH = "SELECT joblens_jobs_with_tags($1::jsonb, $2)"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [*OURS, *THEIRS], [])


async def search(app: Any, org: UUID | str, tags: Any, most: int = 100) -> Any:
    await app.execute(f"SET LOCAL joblens.org_id = '{org}'")
    return await app.fetchval(SEARCH, orjson.dumps(tags).decode(), most)


@pytest.mark.parametrize(
    "tags",
    [["a"], ["a", "b"], ["%"], ["a\\b", "b"], ["theirs 1"], [str(OWN)], [str(OTHER)], ["none"]],
    ids=str,
)
async def test_only_jobs_of_the_organisation_are_found(app: Any, tags: list[str]) -> None:
    for org, rows in ((OWN, OURS), (OTHER, THEIRS), (EMPTY, [])):
        matching = {row["id"] for row in rows if set(tags) <= set(row["tags"] or ())}
        assert set(await search(app, org, tags)) == matching


async def test_without_an_organisation_nothing_is_found(app: Any) -> None:
    assert await app.fetchval(SEARCH, '["a"]', 100) == []
    assert await search(app, "", ["a"]) == []


async def test_an_organisation_is_one_id(app: Any) -> None:
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await search(app, "%", ["a"])


async def test_another_document_leads_to_no_other_organisation(app: Any) -> None:
    for document in ({str(OTHER): ["a"]}, {"a": 1}, [{str(OTHER): "a"}]):
        assert await search(app, OWN, document) == []


async def test_no_tags_are_not_searched(app: Any) -> None:
    assert await search(app, OWN, []) is None


async def test_a_table_of_the_caller_is_not_read_instead(app: Any) -> None:
    await app.execute("RESET ROLE; CREATE TEMP TABLE job AS SELECT * FROM public.job LIMIT 0")
    await app.execute("GRANT ALL ON pg_temp.job TO PUBLIC; SET LOCAL ROLE joblens_app")
    assert set(await search(app, OTHER, ["a"])) == {row["id"] for row in THEIRS}


async def test_too_many_jobs_are_not_listed(app: Any) -> None:
    assert len(await search(app, OTHER, ["a"], 5)) == 5
    assert await search(app, OTHER, ["a"], 4) is None


async def test_what_many_of_the_newest_jobs_have_is_not_searched(
    app: Any, database_url: str
) -> None:
    org = UUID(int=78)
    await insert(database_url, [job(n, org_id=org, tags=[str(n % 2)]) for n in range(80)], [])
    assert await search(app, org, ["1"]) is None
    assert await search(app, org, ["2"]) == []


async def test_the_index_is_read(app: Any) -> None:
    scans = "SELECT pg_stat_get_xact_numscans($1::text::regclass)"
    before = [await app.fetchval(scans, name) for name in ("idx_job_tags", "job")]
    await search(app, OWN, ["a", "b"])
    after = [await app.fetchval(scans, name) for name in ("idx_job_tags", "job")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0]


async def test_nobody_else_may_call_it(app: Any) -> None:
    await app.execute("RESET ROLE; SET LOCAL ROLE pg_monitor")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetchval(SEARCH, "[]", 1)


@pytest.mark.parametrize("tags", [{"a": 1}, "a", ["a", 1], ["a", None], ["a", ["b"]], [{}]])
async def test_tags_are_a_list_of_texts(app: Any, tags: Any) -> None:
    await app.execute("RESET ROLE")
    with pytest.raises(asyncpg.CheckViolationError):
        await app.execute(
            "UPDATE job SET tags = $1::jsonb WHERE id = $2",
            orjson.dumps(tags).decode(),
            OURS[0]["id"],
        )
