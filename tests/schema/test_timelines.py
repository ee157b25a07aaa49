"""Charts: buckets in time zones, series of a dimension, and the counts of a past time."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from db.engine import create_engine
from db.tallies.summing import Outcome, sum_once
from tests.support.ledger import EPOCH, events, insert, job
from tests.support.service import ORG, Service, serving

TIMELINE = """query ($from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!, $zone: String!) {
    timeline(from: $from, until: $until, bucket: $bucket, timeZone: $zone) { start created isPartial } }"""
BY = """query ($by: JobDimension!, $top: Int!, $filter: JobFilter) {
    timelineBy(by: $by, from: "2026-01-01T00:00:00Z", until: "2026-01-03T00:00:00Z", bucket: DAY,
        top: $top, filter: $filter) {
    key { type queue status priority requestedBy lastErrorCode health source { name } } isRest
    buckets { start created failed } } }"""
AT = """query ($at: DateTime, $filter: JobFilter) {
    statusCounts(at: $at, filter: $filter) { status count { value isExact } } }"""


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    """A job every two hours for two days: of three types, each in a queue of its own.

    The jobs of two types are a source's.
    """
    source_id = UUID(int=7)
    jobs = [
        job(
            120 * n,
            status="failed",
            type="abbccc"[n % 6],
            queue=f"q{'abbccc'[n % 6]}",
            priority=n % 2,
            source_id=None if n % 6 == 0 else source_id,
            external_id=None if n % 6 == 0 else str(n),
        )
        for n in range(24)
    ]
    owner = await asyncpg.connect(database_url)
    add_source = "INSERT INTO source (org_id, id, name, kind) VALUES ($1, $2, 'cron', 'test')"
    await owner.execute(add_source, UUID(ORG), source_id)
    await owner.close()
    await insert(
        database_url, jobs, [e for row in jobs for e in events(row, "queued", "running", "failed")]
    )


@pytest.fixture(scope="module", params=[False, True], ids=["events", "sums"])
async def service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    """The same answers come from events and from sums of them."""
    if request.param:
        engine = create_engine(database_url)
        while (await sum_once(engine, UUID(ORG), slice_events=20)).outcome is not Outcome.DONE:
            pass
        await engine.dispose()
    async with serving(database_url) as running:
        yield running


def text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def timeline(
    service: Service, start: datetime, until: datetime, bucket: str, zone: str
) -> list[Any]:
    given = {"from": text(start), "until": text(until), "bucket": bucket, "zone": zone}
    found: list[Any] = (await service.query(TIMELINE, given))["timeline"]
    return found


@pytest.mark.parametrize("filter_", [{}, {"status": ["FAILED"]}, {"priority": {"gte": 1}}])
async def test_creations_alone_are_the_same_as_among_others(
    service: Service, filter_: Mapping[str, Any]
) -> None:
    query = """query ($filter: JobFilter) { timeline(from: "2026-01-01T00:00:00Z",
        until: "2026-01-03T00:00:00Z", bucket: HOUR, filter: $filter) { created %s } }"""
    alone, among = [
        [bucket["created"] for bucket in found["timeline"]]
        for found in (
            await service.query(query % "", {"filter": filter_}),
            await service.query(query % "failed", {"filter": filter_}),
        )
    ]
    assert sum(alone) > 0
    assert alone == among


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
async def test_days_begin_at_midnight_of_the_zone(service: Service, zone: str) -> None:
    days = await timeline(service, EPOCH, EPOCH + timedelta(days=2), "DAY", zone)
    starts = [datetime.fromisoformat(day["start"]).astimezone(ZoneInfo(zone)) for day in days]
    assert all((start.hour, start.minute) == (0, 0) for start in starts)
    assert sum(day["created"] for day in days) == 24
    for day, start in zip(days, starts, strict=True):
        end = start + timedelta(days=1)
        made = [EPOCH + timedelta(hours=2 * n) for n in range(24)]
        assert day["created"] == sum(start <= time < end for time in made)
        assert day["isPartial"] == (start < EPOCH or end > EPOCH + timedelta(days=2))


@pytest.mark.parametrize(
    ("start", "until", "bucket", "hours"),
    [
        # Clocks go forward, and back again.
        ("2026-03-28", "2026-03-31", "DAY", [24, 23, 24]),
        ("2026-10-24", "2026-10-27", "DAY", [24, 25, 24]),
        ("2026-03-23", "2026-04-06", "WEEK", [167, 168]),
        ("2026-03-29", "2026-03-30", "HOUR", [1] * 23),
    ],
)
async def test_days_in_which_the_offset_changes(
    service: Service, start: str, until: str, bucket: str, hours: list[int]
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, last = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (start, until))
    buckets = await timeline(service, first, last, bucket, "Europe/Berlin")
    starts = [*(datetime.fromisoformat(each["start"]) for each in buckets), last.astimezone(UTC)]
    lengths = [(b - a) / timedelta(hours=1) for a, b in pairwise(starts)]
    assert lengths == hours


async def test_a_day_that_a_zone_leaves_out(service: Service) -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    start = datetime(2011, 12, 28, 12, tzinfo=UTC)
    days = await timeline(service, start, start + timedelta(days=4), "DAY", "Pacific/Apia")
    assert len({day["start"] for day in days}) == len(days) == 5


async def test_the_bucket_that_is_not_over_is_partial(service: Service) -> None:
    now = datetime.now(UTC)
    hours = await timeline(
        service, now - timedelta(hours=2), now + timedelta(hours=2), "HOUR", "UTC"
    )
    assert not hours[1]["isPartial"]
    assert hours[0]["isPartial"]
    assert all(each["isPartial"] for each in hours[3:])


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "x" * 10_000, "Europe"])
async def test_an_unknown_zone(service: Service, zone: str) -> None:
    given = {
        "from": text(EPOCH),
        "until": text(EPOCH + timedelta(days=1)),
        "bucket": "DAY",
        "zone": zone,
    }
    (error,) = await service.errors(TIMELINE, given)
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "'timeZone' must be a name of the IANA database" in error["message"]


async def test_the_commonest_values_have_series(service: Service) -> None:
    found = (await service.query(BY, {"by": "TYPE", "top": 2}))["timelineBy"]
    assert [(each["key"]["type"], each["isRest"]) for each in found] == [
        ("c", False),
        ("b", False),
        (None, True),
    ]
    assert [[day["created"] for day in each["buckets"]] for each in found] == [
        [6, 6],
        [4, 4],
        [2, 2],
    ]
    assert [[day["failed"] for day in each["buckets"]] for each in found] == [
        [6, 6],
        [4, 4],
        [2, 2],
    ]
    all_of_them = (await service.query(BY, {"by": "TYPE", "top": 3}))["timelineBy"]
    assert [each["isRest"] for each in all_of_them] == [False] * 3


@pytest.mark.parametrize(
    ("by", "name", "values"),
    [
        ("QUEUE", "queue", ["qc", "qb", "qa"]),
        ("PRIORITY", "priority", [0, 1]),
        ("STATUS", "status", ["FAILED"]),
        ("REQUESTED_BY", "requestedBy", [None]),
        ("HEALTH", "health", ["OK"]),
        ("SOURCE", "source", [{"name": "cron"}, None]),
    ],
)
async def test_series_of_each_dimension(service: Service, by: str, name: str, values: Any) -> None:
    found = (await service.query(BY, {"by": by, "top": 8}))["timelineBy"]
    assert [each["key"][name] for each in found] == values
    assert not any(each["isRest"] for each in found)


async def test_series_of_some_jobs(service: Service) -> None:
    given = {"by": "QUEUE", "top": 8, "filter": {"type": {"in": ["a", "b"]}}}
    found = (await service.query(BY, given))["timelineBy"]
    assert [each["key"]["queue"] for each in found] == ["qb", "qa"]
    nothing = {**given, "filter": {"type": {"eq": "none"}}}
    assert (await service.query(BY, nothing))["timelineBy"] == []


@pytest.mark.parametrize("top", [0, 51, -1])
async def test_the_number_of_series_is_bounded(service: Service, top: int) -> None:
    (error,) = await service.errors(BY, {"by": "TYPE", "top": top})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, {}),
        (0, {"QUEUED": 1}),
        (9, {"QUEUED": 1}),
        (10, {"RUNNING": 1}),
        (20, {"FAILED": 1}),
        (7_205, {"QUEUED": 1, "FAILED": 1}),
        (10**6, {"FAILED": 24}),
        (10**8, {"FAILED": 24}),
    ],
)
async def test_the_counts_of_a_past_time(
    service: Service, seconds: int, expected: dict[str, int]
) -> None:
    given = {"at": text(EPOCH + timedelta(seconds=seconds))}
    counts = (await service.query(AT, given))["statusCounts"]
    assert len(counts) == 6
    assert {c["status"]: c["count"]["value"] for c in counts if c["count"]["value"]} == expected


async def test_the_past_counts_of_some_jobs(service: Service) -> None:
    given: dict[str, Any] = {"at": text(EPOCH + timedelta(hours=23))}
    for filter_, expected in (
        ({"type": {"eq": "c"}}, {"FAILED": 6}),
        ({"type": {"eq": "c"}, "status": ["QUEUED"]}, {}),
        ({"priority": {"eq": 0}}, {"FAILED": 6}),
        ({"queue": {"startsWith": "q"}, "status": ["FAILED"]}, {"FAILED": 12}),
    ):
        counts = (await service.query(AT, {**given, "filter": filter_}))["statusCounts"]
        assert {c["status"]: c["count"]["value"] for c in counts if c["count"]["value"]} == expected
