"""Events that PostgreSQL writes as JSON: the same bytes as Python writes of the same rows."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.shapes import json_values
from tests.support.effort import examples
from tests.support.ledger import insert, job
from tests.support.service import ORG, Service, serving

# All leaves of an event; also in another order and under other names; a few alone.
SELECTIONS = [
    "id ts prevStatus nextStatus attempt detail",
    "detail a: attempt next: nextStatus _1: prevStatus when: ts ts __ID: id again: ts",
    "ts",
    "... on Node { id } ...Rest",
    "detail",
    "__typename ts type: __typename",
]
FRAGMENT = " fragment Rest on JobEvent { ts detail ... on Node { id } }"
INSERT = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, detail)
SELECT $1, $2, seq, ts::timestamptz, prev, next, attempt, detail::jsonb
FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[])
    WITH ORDINALITY AS event (ts, prev, next, attempt, detail, seq)
"""

statuses = st.sampled_from(["queued", "running", "succeeded", "failed", "canceled", "dead_letter"])
fractions = st.sampled_from(["", ".1", ".12", ".000001", ".999999", ".10", ".100001", ".5"])
# With every number of digits, and at both ends of Python's years.
times = st.builds(
    "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}+00".format,
    st.integers(1, 9999),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    fractions,
)
not_of_python = st.sampled_from(
    ["infinity", "-infinity", "10000-01-01 00:00:00+00", "0044-03-15 12:00:00.5+00 BC"]
)


def storable(value: Any) -> str:
    # PostgreSQL has no infinity in JSON, and no U+0000.
    return json.dumps(value).replace("Infinity", "1").replace("\\u0000", "")


details = st.none() | json_values.map(storable) | st.just('{"text": "\\u0001\\u0002\\u0003+00:00"}')
rows = st.tuples(times, st.none() | statuses, statuses, st.integers(0, 2**31 - 1), details)
odd_rows = st.tuples(not_of_python, st.none(), statuses, st.just(0), st.none())


@pytest.fixture(scope="module")
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def core_service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, executor="core") as running:
        yield running


async def ask(service: Service, ids: list[str], query: str) -> bytes:
    answer = await service.post(query, {"ids": ids})
    assert "errors" not in answer.json(), answer.text
    return answer.content


@examples(60)
@given(
    histories=st.lists(st.lists(rows, max_size=4), min_size=1, max_size=3),
    odd=st.lists(odd_rows, max_size=1),
    selection=st.sampled_from(SELECTIONS),
    arguments=st.sampled_from(["", "(first: 2)", "(last: 2)", "(first: 0)"]),
)
async def test_they_are_the_same_bytes(
    service: Service,
    core_service: Service,
    owner: Any,
    database_url: str,
    histories: list[list[Any]],
    odd: list[Any],
    selection: str,
    arguments: str,
) -> None:
    jobs = [job(id=uuid4()) for _ in histories]
    await insert(database_url, jobs, [])
    # Events that PostgreSQL does not write, among others of the same level.
    histories[0] += odd
    for row, history in zip(jobs, histories, strict=True):
        columns = [list(column) for column in zip(*history, strict=True)] or [[]] * 5
        await owner.execute(INSERT, ORG, row["id"], *columns)
    ids = [str(row["id"]) for row in jobs]
    query = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { id"
    query += (
        f" events{arguments} {{ __typename nodes {{ {selection} }} count {{ value }} }} }} }} }}"
    )
    query += FRAGMENT * ("...Rest" in selection)
    with service.recorded() as statements:
        written = await ask(service, ids, query)
    assert written == await ask(core_service, ids, query)
    assert any("string_agg" in statement for statement in statements)


async def test_what_is_not_written(service: Service, database_url: str, owner: Any) -> None:
    row = job(id=uuid4())
    await insert(database_url, [row], [])
    large = orjson.dumps({"text": "x" * 100_000}).decode()
    await owner.execute(
        INSERT, ORG, row["id"], ["2026-01-01 00:00:00+00"], [None], ["queued"], [0], [large]
    )
    query = f'{{ job(id: "{row["id"]}") {{ events {{ nodes {{ %s }} }} }} }}'
    with service.recorded() as statements:
        answer = await service.query(query % "detail")
    assert answer["job"]["events"]["nodes"] == [{"detail": orjson.loads(large)}]
    # A value that may take much memory is read again, with the rows' bound.
    assert [("string_agg" in each) for each in statements] == [False, True, False]
    for selection in ("id job { id }", "id } pageInfo { hasNextPage"):
        with service.recorded() as statements:
            await service.query(query % selection)
        assert not any("string_agg" in each for each in statements)
