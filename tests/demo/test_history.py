"""The demo's history: the same on every run, varied, and importable as it is."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import orjson

from db.statuses import TRANSITIONS, JobStatus
from db.transfer import import_records
from demo.history import ORGS, sample_history

NOW = datetime(2025, 6, 3, 14, 30, 12, 345678, tzinfo=UTC)
RECORDS = list(sample_history(NOW))


def times(record):
    fields = ("created_at", "scheduled_at", "started_at", "finished_at")
    told = [record.get(name) for name in fields] + [event["ts"] for event in record["events"]]
    return [None if time is None else datetime.fromisoformat(time) for time in told]


def test_runs_differ_by_their_end_alone():
    later = list(sample_history(NOW + timedelta(hours=5)))
    for (org, ours), (other_org, theirs) in zip(RECORDS, later, strict=True):
        assert (org, ours["id"], ours["payload"]) == (other_org, theirs["id"], theirs["payload"])
        assert [time and time + timedelta(hours=5) for time in times(ours)] == times(theirs)


def test_times_are_whole_milliseconds_and_nothing_has_happened_in_the_future():
    end = NOW.replace(microsecond=345_000)
    for _, record in RECORDS:
        assert all(event["ts"] <= end.isoformat() for event in record["events"])
        assert all(time.microsecond % 1000 == 0 for time in times(record) if time)
    newest = max(event for _, record in RECORDS for event in times(record)[4:])
    assert end - newest < timedelta(minutes=2)


def test_every_change_of_status_is_legal():
    for _, record in RECORDS:
        for event in record["events"][1:]:
            before, after = JobStatus(event["prev_status"]), JobStatus(event["next_status"])
            assert after is before or after in TRANSITIONS[before]


def test_it_shows_what_there_is_to_inspect():
    orgs = Counter(org for org, _ in RECORDS)
    assert orgs.most_common(1)[0][0] == ORGS[0]
    assert set(orgs) == set(ORGS)
    assert 1_900 < len(RECORDS) < 2_100
    for org in ORGS:
        assert {r["status"] for o, r in RECORDS if o == org} == set(JobStatus)
    records = [record for _, record in RECORDS]
    assert len({record["type"] for record in records}) >= 6
    assert len({record.get("last_error_code") for record in records}) > 10
    assert any((time := times(record)[1]) and time > NOW for record in records)
    running = [times(r)[2] for r in records if r["status"] == "running"]
    assert any(NOW - start > timedelta(days=1) for start in running)
    assert any(r["status"] == "succeeded" and r["attempt"] > 2 for r in records)


async def test_it_imports_without_a_rejection(fresh_database):
    url = await fresh_database()
    for org in ORGS:
        lines = [orjson.dumps(record) for other, record in RECORDS if other == org]
        report = await import_records(url, org, lines)
        assert (report.imported, report.rejected) == (len(lines), 0)
