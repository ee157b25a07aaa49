"""The function that searches error messages: what it finds, and for whom."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.url_credentials import PATTERN, REPLACEMENT, hide_credentials
from tests.support.effort import examples
from tests.support.ledger import insert, job
from tests.support.located import ids_at
from tests.support.service import ORG, OTHER_ORG

OWN, OTHER, EMPTY = UUID(ORG), UUID(OTHER_ORG), UUID(int=77)
SEARCH = "SELECT joblens_rows_with_error_text($1, $2, $3, $4, $5)"
SECRET = "no route to amqp://user:hunter2@queue.internal/jobs"
MESSAGES = [
    None,
    "",
    "ab",
    "Connection refused",
    "CONNECTION RESET by peer",
    "ошибка СОЕДИНЕНИЯ",
    "İstanbul ΣΊΣΥΦΟΣ straße 👩‍👩‍👧 e\u0301tat",
    SECRET,
    "see http://[redacted]@example.com",
]
OURS = [job(n, last_error_message=message) for n, message in enumerate(MESSAGES)]
THEIRS = [job(n, org_id=OTHER, last_error_message=f"Connection {n} refused") for n in range(5)]
# Letters whose lower case depends on what is beside them, is longer, or is that of another one.
LETTERS = "aIiİıſsKkΣσςßẞÅÌĮJ\u0307\u0300\u0301\u0328ǅ👩\u200dЯя中 :/@'\\\n"  # noqa: RUF001
TEXT = st.text(st.sampled_from(LETTERS), max_size=8) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
)
IN_COLLATION = """
SELECT strpos(whole, part) > 0 OR strpos(lower(whole), lower(part)) > 0,
    joblens_error_trigrams($3, whole) @> joblens_trigrams(part, $3::text)
FROM (SELECT $1 COLLATE {0} AS whole, $2 COLLATE {0} AS part) AS given
"""
COLLATIONS = ("default", "C", "und-x-icu", "tr-x-icu", "lt-x-icu", "el-x-icu", "pg_unicode_fast")


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [*OURS, *THEIRS], [])


async def search(
    app: Any,
    org: UUID | str,
    part: str,
    most: int = 100,
    *,
    as_stored: bool = False,
    among_messages: bool = False,
    with_common: bool = False,
) -> Any:
    await app.execute(f"SET LOCAL joblens.org_id = '{org}'")
    found = await app.fetchval(SEARCH, part, as_stored, among_messages, most, with_common)
    return await ids_at(app, found)


def having(rows: list[dict[str, Any]], part: str) -> set[UUID]:
    return {row["id"] for row in rows if part.lower() in (row["last_error_message"] or "").lower()}


@pytest.mark.parametrize("as_stored", [False, True])
@pytest.mark.parametrize("part", ["connection", "REFUSED", "n 3 r", "nowhere", ORG, OTHER_ORG])
async def test_only_jobs_of_the_organisation_are_found(
    app: Any, part: str, as_stored: bool
) -> None:
    for org, rows in ((OWN, OURS), (OTHER, THEIRS), (EMPTY, [])):
        assert set(await search(app, org, part, as_stored=as_stored)) == having(rows, part)


async def test_without_an_organisation_nothing_is_found(app: Any) -> None:
    assert await app.fetchval(SEARCH, "connection", True, False, 100, False) == []
    assert await search(app, "", "connection") == []
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await search(app, "%", "connection")


async def test_a_table_of_the_caller_is_not_read_instead(app: Any) -> None:
    await app.execute("RESET ROLE; CREATE TEMP TABLE job AS SELECT * FROM public.job LIMIT 0")
    await app.execute("GRANT ALL ON pg_temp.job TO PUBLIC; SET LOCAL ROLE joblens_app")
    assert set(await search(app, OTHER, "refused")) == {row["id"] for row in THEIRS}


@pytest.mark.parametrize("part", ["hunter2", "user:hunter2@", "amqp://user", "r2@", "//u"])
async def test_hidden_text_is_not_searched(app: Any, part: str) -> None:
    found = having(OURS, part)
    assert found == {OURS[MESSAGES.index(SECRET)]["id"]}
    assert await search(app, OWN, part) == []
    assert set(await search(app, OWN, part, as_stored=True)) == found


@pytest.mark.parametrize("part", ["queue.internal", "amqp://[redacted]@q", "[REDACTED]"])
async def test_shown_text_is_searched(app: Any, part: str) -> None:
    shown = [
        row | {"last_error_message": hide_credentials(row["last_error_message"] or "")}
        for row in OURS
    ]
    assert having(shown, part) >= {OURS[MESSAGES.index(SECRET)]["id"]}
    assert set(await search(app, OWN, part)) == having(shown, part)


@pytest.mark.parametrize("part", ["", "a", "ab", "a\u0307b"])
async def test_short_text_is_not_searched(app: Any, part: str) -> None:
    assert await search(app, OWN, part) is None


async def test_too_many_jobs_are_not_listed(app: Any) -> None:
    assert len(await search(app, OTHER, "refused", 5)) == 5
    assert await search(app, OTHER, "refused", 4) is None


async def test_what_is_common_is_not_searched(app: Any, database_url: str) -> None:
    org = UUID(int=78)
    rows = [job(n, org_id=org, last_error_message=f"number {n % 2} of 2") for n in range(80)]
    await insert(database_url, rows, [])
    assert await search(app, org, "number 1") is None
    assert len(await search(app, org, "number 1", with_common=True)) == 40
    assert await search(app, org, "number 2") == []


async def test_what_is_common_among_messages_may_be_rare_among_jobs(
    app: Any, database_url: str
) -> None:
    org = UUID(int=79)
    messages = {n: f"number {n} of many" for n in range(0, 2_000, 50)}
    rows = [job(n, org_id=org, last_error_message=messages.get(n)) for n in range(2_000)]
    await insert(database_url, rows, [])
    assert set(await search(app, org, "of many")) == having(rows, "of many")
    assert await search(app, org, "of many", among_messages=True) is None


@pytest.mark.parametrize("among_messages", [False, True])
async def test_what_only_the_newest_jobs_have_is_not_common(
    app: Any, database_url: str, among_messages: bool
) -> None:
    org = UUID(int=80 + among_messages)
    rows = [job(n, org_id=org, last_error_message=f"is new: {n >= 900}") for n in range(1_000)]
    await insert(database_url, rows, [])
    found = await search(app, org, "is new: true", among_messages=among_messages)
    assert set(found) == having(rows, "is new: true")


@pytest.mark.parametrize("as_stored", [False, True])
async def test_rare_parts_of_alike_messages_find_few(
    app: Any, database_url: str, as_stored: bool
) -> None:
    org, url = UUID(int=90 + as_stored), "GET https://me:{}@api.example.com/orders/{} failed: 502"
    rows = [job(n, org_id=org, last_error_message=url.format(n, n)) for n in range(2_000)]
    # Newer ones, of another kind.
    rows += [job(n, org_id=org, last_error_message="no space left") for n in range(2_000, 2_300)]
    await insert(database_url, rows, [])
    for part in (
        "api.example.com/orders/1234 failed",
        "orders/777 ",
        "api.example.com/orders/123x",
    ):
        found = await search(app, org, part, as_stored=as_stored)
        assert having(rows, part) <= set(found)
        assert len(found) <= 20
    hidden = having(rows, "me:1234@") if as_stored else set()
    assert set(await search(app, org, "me:1234@", as_stored=as_stored)) == hidden


async def test_a_long_text_is_found(app: Any, database_url: str) -> None:
    org = UUID(int=92)
    long = [" ".join(f"frame {n} of {each}" for each in range(600)) for n in range(30)]
    rows = [job(n, org_id=org, last_error_message=message) for n, message in enumerate(long)]
    await insert(database_url, rows, [])
    for part in (long[7], long[8][1:-1], long[9][4_000:]):
        found = await search(app, org, part, with_common=True)
        assert having(rows, part) <= set(found)


@pytest.mark.parametrize("as_stored", [False, True])
async def test_the_index_is_read(app: Any, as_stored: bool) -> None:
    scans = "SELECT pg_stat_get_xact_numscans($1::text::regclass)"
    before = [await app.fetchval(scans, name) for name in ("idx_job_error_trigrams", "job")]
    await search(app, OWN, "refused", as_stored=as_stored)
    after = [await app.fetchval(scans, name) for name in ("idx_job_error_trigrams", "job")]
    used, in_turn = [b - a for a, b in zip(before, after, strict=True)]
    assert (used, in_turn) == (1 + as_stored, 0)


async def test_settings_of_the_caller_stay(app: Any) -> None:
    names = ("enable_indexscan", "enable_seqscan", "work_mem")
    await app.execute("SET LOCAL work_mem = '1MB'")
    before = [await app.fetchval(f"SHOW {name}") for name in names]
    assert await search(app, OWN, "refused")
    assert [await app.fetchval(f"SHOW {name}") for name in names] == before


@examples(300)
@example(before="", part="ΑΒΣ", after="Α", other="")  # noqa: RUF001
@example(before="", part="abI", after="\u0307", other="")
@example(before="I", part="\u0307abc", after="", other="")
@example(before="", part="abİc", after="", other="abi")
@given(before=TEXT, part=TEXT, after=TEXT, other=TEXT)
async def test_trigrams_of_a_part_are_among_those_of_the_whole(
    database_url: str, before: str, part: str, after: str, other: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        known = await connection.fetch(
            "SELECT quote_ident(collname) AS name FROM pg_collation WHERE collname = ANY($1)"
            " AND collencoding IN (-1, 6)",
            COLLATIONS,
        )
        for collation in known:
            for given_part in (part, part.upper(), other):
                contained, candidate = await connection.fetchrow(
                    IN_COLLATION.format(collation["name"]), before + part + after, given_part, OWN
                )
                assert candidate or not contained, (collation["name"], given_part)
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["joblens_error_trigrams", "joblens_rows_with_error_text"])
async def test_the_index_hides_what_conditions_hide(app: Any, name: str) -> None:
    source = await app.fetchval("SELECT prosrc FROM pg_proc WHERE proname = $1", name)
    assert f"'{PATTERN}', '{REPLACEMENT}', 'g'" in source


async def test_nobody_else_may_call_it(app: Any) -> None:
    await app.execute("RESET ROLE; SET LOCAL ROLE pg_monitor")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetchval(SEARCH, "connection", True, False, 1, False)
