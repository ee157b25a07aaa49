"""Parents in imports: kept as they are given, but never in a circle."""

import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.transfer import export_records, import_records, imports
from tests.support.effort import examples

ORG, OTHER_ORG = UUID(int=1), UUID(int=2)
T0, T1 = "2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"
CIRCULAR = "parent_id: is the job itself, or a descendant of it"


def line(number, parent=None, **fields):
    relation = {} if parent is None else {"parent_id": str(UUID(int=parent))}
    return orjson.dumps(
        {"id": str(UUID(int=number)), "type": "t", "status": "queued", "created_at": T0}
        | relation
        | fields
    )


@pytest.fixture
async def url(fresh_database):
    return await fresh_database()


async def load(url, *lines, org=ORG):
    """Return the numbers of the lines that were rejected, each for its parent."""
    rejections = []
    await import_records(url, org, lines, on_reject=rejections.append)
    assert {rejection.reason for rejection in rejections} <= {CIRCULAR}
    return [rejection.line_number for rejection in rejections]


async def parents(url, org=ORG):
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT id, parent_id FROM job WHERE org_id = $1", org)
    await connection.close()
    return {row["id"].int: row["parent_id"] and row["parent_id"].int for row in rows}


@pytest.mark.parametrize(
    ("edges", "rejected"),
    [
        ([(1, 1)], [1]),
        ([(1, 2), (2, 1)], [2]),
        ([(1, None), (2, 1), (3, 2)], []),
        ([(3, 2), (2, 1), (1, None)], []),
        ([(2, 1), (3, 2), (1, 3)], [3]),
        ([(2, 9), (3, 9)], []),
        ([(1, 2), (2, 3), (3, 1), (4, 1)], [3]),
    ],
)
async def test_a_circle_is_never_closed(url, edges, rejected):
    assert await load(url, *(line(*edge) for edge in edges)) == rejected
    kept = dict(edges) if not rejected else None
    assert kept is None or await parents(url) == kept


@pytest.mark.parametrize("batch", [1, 2, 2_000])
async def test_what_the_ledger_has_counts(url, batch, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_RECORDS", batch)
    # 1 was deleted, or is yet to come: it may come, but not as a descendant of its own.
    assert await load(url, line(2, 1), line(3, 2)) == []
    assert await load(url, line(5), line(1, 3), line(4, 1)) == [2]
    assert await parents(url) == {2: 1, 3: 2, 4: 1, 5: None}
    assert await load(url, line(1, 5)) == []


async def test_a_later_record_closes_no_circle_either(url):
    assert await load(url, line(1), line(2, 1)) == []
    run = [
        {"ts": T0, "prev_status": None, "next_status": "queued"},
        {"ts": T1, "prev_status": "queued", "next_status": "canceled"},
    ]
    ended = {"status": "canceled", "finished_at": T1, "events": run}
    assert await load(url, line(1, 2, **ended)) == [1]
    assert await parents(url) == {1: None, 2: 1}
    assert await load(url, line(2, **ended)) == []
    assert await load(url, line(1, 2, **ended)) == []
    assert await parents(url) == {1: 2, 2: None}


async def test_other_organisations_do_not_count(url):
    assert await load(url, line(1, 2)) == []
    assert await load(url, line(2, 1), org=OTHER_ORG) == []


async def test_imports_at_once_close_no_circle(url):
    edges = [(n, n % 5 + 1) for n in range(1, 6)]
    rejected = await asyncio.gather(*(load(url, line(*edge)) for edge in edges))
    assert sum(map(len, rejected)) == 1


@examples(60)
@given(
    edges=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6) | st.none()), max_size=12),
    batch=st.sampled_from([1, 3, 2_000]),
)
async def test_whatever_comes_there_is_no_circle(database_url, edges, batch):
    org = UUID(int=hash((tuple(edges), batch)) % 2**100 + 100)
    imports_batch, imports.BATCH_RECORDS = imports.BATCH_RECORDS, batch
    try:
        lines = [line(*edge) for edge in edges]
        await import_records(database_url, org, lines)
    finally:
        imports.BATCH_RECORDS = imports_batch
    found = await parents(database_url, org)
    for start in found:
        seen, at = set(), start
        while at is not None:
            assert at not in seen
            seen.add(at)
            at = found.get(at)


async def test_an_export_has_what_an_import_needs(url, fresh_database):
    lines = [line(1), line(2, 1, batch="b", tags=["y", "x"]), line(3, 9, tags=[])]
    await load(url, *lines)
    exported = [each async for each in export_records(url, ORG)]
    fields = [orjson.loads(each) for each in exported]
    assert (fields[1]["parent_id"], fields[1]["batch"]) == (str(UUID(int=1)), "b")
    assert (fields[1]["tags"], fields[2]["parent_id"]) == (["x", "y"], str(UUID(int=9)))
    assert "tags" not in fields[2]
    other = await fresh_database()
    assert await load(other, *exported) == []
    assert [each async for each in export_records(other, ORG)] == exported
