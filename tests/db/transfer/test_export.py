"""Exports: the same bytes for the same jobs, wherever they came from."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from db.statuses import TRANSITIONS, BackoffPolicy, JobStatus
from db.transfer import export_records, exports, import_records
from tests.support.effort import examples
from tests.support.patience import PATIENCE_SECONDS

ORG = UUID(int=1)
FULL = {
    "id": str(UUID(int=7)),
    "type": "email",
    "queue": "mail",
    "status": "failed",
    "priority": -3,
    "attempt": 1,
    "max_attempts": 4,
    "backoff_policy": "fixed",
    "idempotency_key": "k",
    "requested_by": "anna",
    "payload": {"n": 1},
    "result": [1, None],
    "last_error_code": "E1",
    "last_error_message": "no",
    "created_at": "2025-01-01T10:00:00Z",
    "scheduled_at": "2025-01-01T10:00:01.500000Z",
    "started_at": "2025-01-01T10:00:02Z",
    "finished_at": "2025-01-01T10:00:03.000001Z",
    "events": [
        {"ts": "2025-01-01T10:00:00Z", "prev_status": None, "next_status": "queued", "attempt": 0},
        {
            "ts": "2025-01-01T10:00:02Z",
            "prev_status": "queued",
            "next_status": "running",
            "attempt": 1,
        },
        {
            "ts": "2025-01-01T10:00:03.000001Z",
            "prev_status": "running",
            "next_status": "failed",
            "attempt": 1,
            "detail": {"error_code": "E1"},
        },
    ],
}


def line(number, created_at="2025-01-01T10:00:00Z", **fields):
    told = {"id": str(UUID(int=number)), "type": "t", "status": "queued", "created_at": created_at}
    return orjson.dumps(told | fields)


async def export(url, org=ORG, **options):
    return [line async for line in export_records(url, org, **options)]


async def ids(url, **options):
    return [UUID(orjson.loads(line)["id"]).int for line in await export(url, **options)]


async def test_a_record_comes_back_with_its_fields_in_order(fresh_database):
    url = await fresh_database()
    await import_records(url, ORG, [orjson.dumps(FULL)])
    (line,) = await export(url)
    assert line.endswith(b"}\n")
    back = orjson.loads(line)
    assert back == FULL
    assert list(back) == list(FULL)
    assert [list(event) for event in back["events"]] == [list(event) for event in FULL["events"]]


async def test_fields_without_value_are_left_out(fresh_database):
    url = await fresh_database()
    await import_records(url, ORG, [line(1)])
    ledger = await asyncpg.connect(url)
    await ledger.execute("UPDATE job SET payload = 'null'")
    await ledger.close()
    assert await export(url) == [
        b'{"id":"00000000-0000-0000-0000-000000000001","type":"t","queue":"default",'
        b'"status":"queued","priority":0,"attempt":0,"max_attempts":5,'
        b'"backoff_policy":"exponential","created_at":"2025-01-01T10:00:00Z","events":['
        b'{"ts":"2025-01-01T10:00:00Z","prev_status":null,"next_status":"queued","attempt":0}]}\n'
    ]


async def test_jobs_come_by_creation_then_id_and_may_be_narrowed(fresh_database):
    url = await fresh_database()
    early, late = "2025-01-01T10:00:00Z", "2025-01-02T10:00:00Z"
    running = {"status": "running", "started_at": late}
    await import_records(url, ORG, [line(3, late), line(2, early, **running), line(1, late)])
    await import_records(url, UUID(int=2), [line(9)])
    assert await ids(url) == [2, 1, 3]
    assert await ids(url, statuses=[JobStatus.RUNNING]) == [2]
    assert await ids(url, statuses=[JobStatus.RUNNING, JobStatus.QUEUED]) == [2, 1, 3]
    assert await ids(url, since=datetime(2025, 1, 2, 10, tzinfo=UTC)) == [1, 3]
    assert await ids(url, statuses=[JobStatus.FAILED]) == []


@pytest.mark.parametrize(("jobs", "events"), [(1, 1), (3, 2), (200, 10_000)])
async def test_chunks_do_not_show(database_url, monkeypatch, jobs, events):
    monkeypatch.setattr(exports, "CHUNK_JOBS", jobs)
    monkeypatch.setattr(exports, "CHUNK_EVENTS", events)
    running = {"status": "running", "started_at": "2025-01-01T10:00:00Z"}
    org = UUID(int=77)
    await import_records(database_url, org, [line(n, **running) for n in range(1, 8)])
    lines = [orjson.loads(line) for line in await export(database_url, org)]
    assert [UUID(job["id"]).int for job in lines] == list(range(1, 8))
    assert all(len(job["events"]) == 2 for job in lines)


async def test_an_export_is_one_snapshot(fresh_database, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_JOBS", 1)
    url = await fresh_database()
    await import_records(url, ORG, [line(1), line(2)])
    async with aclosing(export_records(url, ORG)) as lines:
        seen = [await anext(lines)]
        await import_records(url, ORG, [line(3)])
        seen += [line async for line in lines]
    assert len(seen) == 2


async def test_an_export_left_early_lets_go_of_its_connection(fresh_database):
    url = await fresh_database()
    await import_records(url, ORG, [line(1), line(2)])
    async with aclosing(export_records(url, ORG)) as lines:
        await anext(lines)
    ledger = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'joblens export'"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await ledger.fetchval(waiting):  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.01)
    await ledger.close()


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
NAMES = TEXTS.filter(bool)
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - an offset follows
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(-9e18, 9e18) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def histories(draw):
    """A legal chain of events at rising times, and the record that it ends in."""
    times = sorted(draw(st.lists(TIMES, min_size=1, max_size=7)))
    offset = draw(st.sampled_from(["Z", "+00:00", "-07:30"]))
    events, status = [], None
    for time in times:
        following = [*sorted(TRANSITIONS[status]), status] if status else [JobStatus.QUEUED]
        chosen = draw(st.sampled_from(following))
        event = {"ts": time.isoformat() + offset, "prev_status": status, "next_status": chosen}
        events.append(event | draw(st.just({}) | st.fixed_dictionaries({"detail": JSON_VALUES})))
        status = chosen
    optional = {
        "id": st.uuids().map(str),
        "queue": NAMES,
        "priority": st.integers(-(2**31), 2**31 - 1),
        "backoff_policy": st.sampled_from(BackoffPolicy),
        "idempotency_key": st.sampled_from(["one", "two"]),
        "requested_by": TEXTS,
        "payload": JSON_VALUES,
        "result": JSON_VALUES,
        "last_error_code": TEXTS,
        "scheduled_at": TIMES.map(lambda time: time.isoformat() + offset),
    }
    fields = draw(st.fixed_dictionaries({"type": NAMES}, optional=optional))
    return fields | {"status": status, "created_at": events[0]["ts"], "events": events}


@pytest.fixture(scope="module")
async def empty(database_url):
    """Empties the module's database between examples."""
    connection = await asyncpg.connect(database_url)
    yield lambda: connection.execute("TRUNCATE job, job_event")
    await connection.close()


@given(records=st.lists(histories(), max_size=6))
@examples(40, suppress_health_check=[HealthCheck.too_slow])
async def test_export_import_export_gives_the_same_bytes(database_url, empty, records):
    await empty()
    report = await import_records(database_url, ORG, map(orjson.dumps, records))
    keyed = sum(1 for record in records if "idempotency_key" in record)
    assert report.rejected <= keyed
    first = await export(database_url)
    assert len(first) == report.imported
    again = await import_records(database_url, ORG, first)
    assert (again.unchanged, again.rejected) == (len(first), 0)
    await empty()
    elsewhere = await import_records(database_url, ORG, first)
    assert elsewhere.imported == len(first)
    assert await export(database_url) == first


async def test_a_login_that_row_level_security_binds_is_refused(fresh_database):
    """Else it would export nothing, and call that a success."""
    url = await fresh_database()
    login = f"joblens_test_{UUID(int=0).hex[:4]}_{asyncio.get_running_loop().time():.0f}"
    owner = await asyncpg.connect(url)
    await owner.execute(f"CREATE ROLE {login} LOGIN IN ROLE joblens_app")
    try:
        bound = url.replace("postgres:@", f"{login}:@").replace("postgres@", f"{login}@")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _ = [line async for line in export_records(bound, ORG)]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await import_records(bound, ORG, [orjson.dumps(FULL)])
    finally:
        await owner.execute(f"DROP ROLE {login}")
        await owner.close()
