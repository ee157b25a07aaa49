"""Imports into a real ledger: what gets in, what stays as it is, what is rejected."""

import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest

from db.transfer import ImportReport, import_records, imports

ORG, OTHER_ORG = UUID(int=1), UUID(int=2)
T0, T1 = "2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"


def line(number=None, **fields):
    identity = {} if number is None else {"id": str(UUID(int=number))}
    return orjson.dumps(
        {**identity, "type": "email", "status": "queued", "created_at": T0} | fields
    )


@pytest.fixture
async def url(fresh_database):
    return await fresh_database()


@pytest.fixture
async def ledger(url):
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def jobs_of(ledger, org=ORG):
    return await ledger.fetch("SELECT * FROM job WHERE org_id = $1 ORDER BY id", org)


async def load(url, *lines, org=ORG):
    """The counts as (imported, unchanged, rejected), and the rejections as (number, reason).

    Where jobs were updated, their count stands second.
    """
    rejections = []
    report = await import_records(url, org, lines, on_reject=rejections.append)
    done = report.imported + report.updated + report.unchanged
    assert report.read == done + report.rejected
    assert all(lines[r.line_number - 1] == r.line for r in rejections)
    told = [(r.line_number, r.reason) for r in rejections]
    updated = () if report.updated == 0 else (report.updated,)
    return (report.imported, *updated, report.unchanged, report.rejected), told


async def test_a_record_becomes_a_job_and_its_events(url, ledger):
    run = {"status": "failed", "started_at": T0, "finished_at": T1, "last_error_code": "E1"}
    assert await load(url, line(1, **run, payload={"n": 1.10})) == ((1, 0, 0), [])
    (job,) = await jobs_of(ledger)
    assert (job["id"], job["status"], job["event_seq"]) == (UUID(int=1), "failed", 3)
    events = await ledger.fetch("SELECT * FROM job_event ORDER BY seq")
    assert [(e["org_id"], e["job_id"], e["seq"]) for e in events] == [
        (ORG, UUID(int=1), seq) for seq in (1, 2, 3)
    ]
    assert [e["next_status"] for e in events] == ["queued", "running", "failed"]
    assert orjson.loads(events[2]["detail"]) == {"error_code": "E1"}


async def test_numbers_keep_their_digits(url, ledger):
    text = "[1.10, 0.12345678901234567890123, 18446744073709551615]"
    await load(url, line(1)[:-1] + f',"payload":{text}}}'.encode())
    assert (await jobs_of(ledger))[0]["payload"] == text


async def test_importing_again_changes_nothing(url, ledger):
    lines = [line(1), line(2, idempotency_key="k"), line(), line(priority=3)]
    assert await load(url, *lines) == ((4, 0, 0), [])
    before = await jobs_of(ledger), await ledger.fetch("SELECT * FROM job_event")
    assert await load(url, *lines) == ((0, 4, 0), [])
    assert before == (await jobs_of(ledger), await ledger.fetch("SELECT * FROM job_event"))


QUEUED = {"ts": T0, "prev_status": None, "next_status": "queued"}
RUNNING = {"ts": T1, "prev_status": "queued", "next_status": "running"}
NOTED = {
    "ts": T1,
    "prev_status": "running",
    "next_status": "running",
    "detail": {"a": 1, "b": 2.50},
}
DONE = {"ts": T1, "prev_status": "running", "next_status": "succeeded"}


def told(*events, number=1, **fields):
    return line(number, status=events[-1]["next_status"], events=list(events), **fields)


async def test_a_job_that_has_come_further_is_brought_up_to_date(url, ledger):
    await load(url, told(QUEUED, payload=1, priority=1), line(2))
    running = told(QUEUED, RUNNING, NOTED, priority=2)
    newer = told(QUEUED, RUNNING, NOTED, DONE, result={"ok": True}, idempotency_key="k")
    assert await load(url, running, running, newer, line(2)) == ((0, 2, 2, 0), [])
    updated = (
        await jobs_of(ledger),
        await ledger.fetch("SELECT * FROM job_event ORDER BY job_id, seq"),
    )
    # As if it were new.
    assert await load(url, newer, line(2), org=OTHER_ORG) == ((2, 0, 0), [])
    fresh = await jobs_of(ledger, OTHER_ORG)
    assert [{**job, "org_id": None} for job in fresh] == [
        {**job, "org_id": None} for job in updated[0]
    ]
    # What is older, or only written otherwise, changes nothing.
    noted = {**NOTED, "ts": "2025-01-01T12:01:00+02:00", "detail": {"b": 2.5, "a": 1.0}}
    older = [told(QUEUED), running, told(QUEUED, RUNNING, noted, DONE, type="other")]
    assert await load(url, *older) == ((0, 3, 0), [])
    events = "SELECT * FROM job_event WHERE org_id = $1 ORDER BY job_id, seq"
    assert (await jobs_of(ledger), await ledger.fetch(events, ORG)) == updated


async def test_a_job_of_another_history_stays_as_it_is(url, ledger):
    await load(url, told(QUEUED, RUNNING, NOTED))
    before = await jobs_of(ledger), await ledger.fetch("SELECT * FROM job_event")
    reason = "id: the existing job has different events from event {} on"
    others = {
        1: told({**QUEUED, "ts": T1}, RUNNING, DONE),
        2: told(QUEUED, {**RUNNING, "attempt": 7}, NOTED, DONE),
        3: told(QUEUED, RUNNING, {**NOTED, "detail": {"a": 1}}, DONE),
    }
    assert await load(url, *others.values(), told(QUEUED, RUNNING, DONE)) == (
        (0, 0, 4),
        [(n, reason.format(seq)) for n, seq in enumerate((*others, 3), start=1)],
    )
    assert before == (await jobs_of(ledger), await ledger.fetch("SELECT * FROM job_event"))


async def test_a_record_without_events_brings_up_to_date_too(url, ledger):
    await load(url, line(1))
    ended = line(1, status="failed", started_at=T1, finished_at=T1, last_error_code="E")
    assert await load(url, line(1, status="running", started_at=T1), ended) == ((0, 2, 0, 0), [])
    (job,) = await jobs_of(ledger)
    assert (job["status"], job["event_seq"], job["last_error_code"]) == ("failed", 3, "E")


async def test_a_key_that_is_taken_keeps_a_job_from_being_brought_up_to_date(url, ledger):
    await load(url, told(QUEUED), line(2, idempotency_key="k"), told(QUEUED, number=3))
    wanted = [
        told(QUEUED, RUNNING, number=n, idempotency_key=key) for n, key in ((1, "k"), (3, "l"))
    ]
    (counts, rejections) = await load(url, *wanted)
    assert (counts, [number for number, _ in rejections]) == ((0, 1, 0, 1), [1])
    assert [job["status"] for job in await jobs_of(ledger)] == ["queued", "queued", "running"]


async def test_an_id_twice_in_a_file_is_one_job(url, ledger):
    assert await load(url, line(1, priority=1), line(2), line(1, priority=2)) == ((2, 1, 0), [])
    assert (await jobs_of(ledger))[0]["priority"] == 1


@pytest.mark.parametrize("batch", [2, 2_000])
async def test_alike_records_without_id_are_jobs_of_their_own(url, ledger, monkeypatch, batch):
    monkeypatch.setattr(imports, "BATCH_RECORDS", batch)
    lines = [line(), line(priority=1), line(), line(), line()]
    assert await load(url, *lines[:2]) == ((2, 0, 0), [])
    assert await load(url, *lines) == ((3, 2, 0), [])
    assert await load(url, *lines) == ((0, 5, 0), [])
    assert {job["id"].version for job in await jobs_of(ledger)} == {7}


async def test_alike_records_with_a_key_are_one_job(url):
    assert await load(url, line(idempotency_key="k"), line(idempotency_key="k")) == ((1, 1, 0), [])


async def test_organisations_do_not_meet(url, ledger):
    lines = [line(1, idempotency_key="k"), line()]
    assert await load(url, *lines) == ((2, 0, 0), [])
    assert await load(url, *lines, org=OTHER_ORG) == ((2, 0, 0), [])
    ours, theirs = await jobs_of(ledger), await jobs_of(ledger, OTHER_ORG)
    assert len({job["id"] for job in ours} & {job["id"] for job in theirs}) == 1


async def test_a_key_of_another_job_is_rejected(url, ledger):
    reason = f"idempotency_key: belongs to job {UUID(int=1)} already"
    twice = [line(1, idempotency_key="k"), line(2, idempotency_key="k"), line(3)]
    assert await load(url, *twice) == ((2, 0, 1), [(2, reason)])
    assert await load(url, line(4, idempotency_key="k"), line(5)) == ((1, 0, 1), [(1, reason)])
    # Both lines of a repeated id are refused where neither is in the ledger.
    both = [line(6, idempotency_key="k"), line(6, idempotency_key="k")]
    assert await load(url, *both) == ((0, 0, 2), [(1, reason), (2, reason)])
    # A key that an unchanged job names is not thereby taken.
    assert await load(url, line(3, idempotency_key="x"), line(7, idempotency_key="x")) == (
        (1, 1, 0),
        [],
    )
    assert len(await jobs_of(ledger)) == 4


async def test_bad_lines_never_stop_the_good_ones(url, ledger):
    lines = [line(1), b"{", line(2), line(3, status="done"), line(4)]
    counts, rejections = await load(url, *lines)
    assert counts == (3, 0, 2)
    assert [number for number, _ in rejections] == [2, 4]
    assert len(await jobs_of(ledger)) == 3


async def test_what_only_the_database_refuses_is_found_among_the_good(url, ledger):
    await ledger.execute("ALTER TABLE job ADD CONSTRAINT ck_house_rule CHECK (priority <> 13)")
    lines = [line(n, priority=n) for n in range(1, 31)]
    reason = "the database does not accept this record"
    assert await load(url, *lines) == ((29, 0, 1), [(13, reason)])
    assert len(await jobs_of(ledger)) == 29


async def test_line_ends_blank_lines_and_a_byte_order_mark_are_tolerated(url):
    lines = [b"\xef\xbb\xbf" + line(1) + b"\r\n", b"\n", b"", b"  \r\n", line(2), b"{\n"]
    (counts, rejections) = await load(url, *lines)
    assert counts == (2, 0, 1)
    assert rejections[0][0] == 6


async def test_two_imports_at_once_share_the_work(url, ledger, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_RECORDS", 20)
    lines = [line(n) for n in range(100)] + [line(priority=n) for n in range(100)]
    reports = await asyncio.gather(*(import_records(url, ORG, lines) for _ in range(2)))
    assert sum(report.imported for report in reports) == 200
    assert sum(report.unchanged for report in reports) == 200
    assert await ledger.fetchval("SELECT count(*) FROM job_event") == 200


async def test_an_empty_file_is_an_import_of_nothing(url):
    assert await import_records(url, ORG, []) == ImportReport(0, 0, 0, 0)


async def test_a_line_too_long_is_rejected(url, monkeypatch):
    monkeypatch.setattr(imports, "MAX_LINE_BYTES", 1024**2)
    counts, rejections = await load(url, line(1) + b" " * 1024**2, line(2))
    assert counts == (1, 0, 1)
    assert rejections == [(1, "the line is longer than 1 MiB")]


async def test_lines_are_read_batch_by_batch_and_progress_is_told(url, ledger, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_RECORDS", 10)
    told = []

    def lines():
        for number in range(1, 26):
            assert number - (told[-1] if told else 0) <= 10
            yield line(number)

    await import_records(url, ORG, lines(), on_progress=told.append)
    assert told == [10, 20, 25]
    assert len(await jobs_of(ledger)) == 25


async def test_a_batch_ends_at_its_bytes_too(url, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_BYTES", 1)
    told = []
    await import_records(url, ORG, [line(1), line(2)], on_progress=told.append)
    assert told == [1, 2, 2]


async def test_an_import_that_breaks_off_keeps_its_batches(url, ledger, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_RECORDS", 2)

    def lines():
        yield from (line(n) for n in range(3))
        raise OSError("the pipe broke")

    with pytest.raises(OSError, match="the pipe broke"):
        await import_records(url, ORG, lines())
    assert len(await jobs_of(ledger)) == 2
    assert await load(url, *(line(n) for n in range(4))) == ((2, 2, 0), [])


@pytest.mark.parametrize("depth", [200, 252, 253, 254, 255, 400, 5_000])
async def test_depth_stops_no_other_line(url, depth):
    deep = b'{"type": "a", "status": "queued", "created_at": "%s", "payload": ' % T0.encode()
    deep += b"[" * depth + b"]" * depth + b"}"
    (imported, _, rejected), _ = await load(url, line(1), deep, line(2))
    assert (imported, rejected) == ((3, 0) if depth <= 253 else (2, 1))


async def test_workers_are_imported(url, ledger):
    """Also into the start that is derived from a record's times."""
    run = {"status": "running", "started_at": T1}
    assert await load(url, line(1, **run, worker="w")) == ((1, 0, 0), [])
    (job,) = await jobs_of(ledger)
    assert job["worker"] == "w"
    events = await ledger.fetch("SELECT detail FROM job_event ORDER BY seq")
    assert [each["detail"] for each in events] == [None, '{"worker": "w"}']
    for wrong in ("", "x" * 256, 1):
        (counts, ((_, reason),)) = await load(url, line(2, **run, worker=wrong))
        assert counts == (0, 0, 1)
        assert reason.startswith("worker: ")


async def test_a_job_of_a_source_stays_as_its_facts_tell(url, ledger):
    await load(url, line(1), line(2))
    await ledger.execute(
        "UPDATE job SET source_id = $1, external_id = '1' WHERE id = $1", UUID(int=1)
    )
    later = {"status": "running", "started_at": T1}
    assert await load(url, line(1), line(1, **later), line(2, **later)) == (
        (0, 1, 0, 2),
        [(n, "id: the existing job is of a source, whose facts alone change it") for n in (1, 2)],
    )
    assert [job["status"] for job in await jobs_of(ledger)] == ["queued", "running"]
