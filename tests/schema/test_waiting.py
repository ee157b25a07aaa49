"""`Job.waiting` against a plain model of the queues, which knows nothing of db/."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.ledger import events, insert, job
from tests.support.queue_model import MINUTE, QUEUES, Model, at, random_history, rounded, summed
from tests.support.service import ORG, Service

WAITING = """query ($ids: [ID!]!, $atMost: Int) { jobs(filter: {ids: $ids}, first: 200) { nodes {
  id status waiting { reasons dueAt ahead(atMost: $atMost) { value isExact } running { value isExact }
    startsPerMinute eta lastStartInQueue } } } }"""


async def ask(
    service: Service, rows: Sequence[dict[str, Any]], at_most: int | None = 1000, org: str = ORG
) -> dict[UUID, Any]:
    found: dict[UUID, Any] = {}
    for start in range(0, len(rows), 200):
        ids = [str(row["id"]) for row in rows[start : start + 200]]
        data = await service.query(WAITING, {"ids": ids, "atMost": at_most}, Joblens_Org=org)
        found |= {UUID(node["id"]): node["waiting"] for node in data["jobs"]["nodes"]}
    for told in found.values():
        if told is not None:
            for name in ("dueAt", "eta", "lastStartInQueue"):
                told[name] = told[name] and datetime.fromisoformat(told[name])
    assert len(found) == len(rows)
    return found


def plain(told: Any) -> Any:
    """Check that the counts are exact, and leave their values."""
    if told is None:
        return None
    assert told["ahead"]["isExact"]
    assert told["running"]["isExact"]
    return told | {name: told[name]["value"] for name in ("ahead", "running")}


@pytest.mark.parametrize("with_tallies", [False, True], ids=["no tallies", "tallies"])
async def test_a_random_ledger_is_as_the_model_says(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch, with_tallies: bool
) -> None:
    random, org = Random(7), uuid4()
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr("resolvers.context.datetime", at(now))
    rows, steps = random_history(random, now, org, 300)
    await insert(database_url, rows, steps)
    if with_tallies:
        await summed(database_url, org)
    model = Model(rows, steps)
    expected = {row["id"]: rounded(model.waiting(row, now)) for row in rows}
    found = {id_: plain(told) for id_, told in (await ask(service, rows, org=str(org))).items()}
    assert found == expected
    told = [reason for each in found.values() if each for reason in each["reasons"]]
    assert set(told) == {"SCHEDULED", "BACKING_OFF", "BEHIND_OTHERS", "NO_RECENT_STARTS"}
    assert any(each and each["eta"] for each in found.values())


@pytest.fixture
async def line(database_url: str) -> tuple[list[dict[str, Any]], str]:
    """Ten due jobs of one queue in their order, of which every other one has a time."""
    org = uuid4()
    times = [None, datetime(2026, 1, 1, tzinfo=UTC)]
    rows = [job(n, org_id=org, id=UUID(int=n + 1), scheduled_at=times[n % 2]) for n in range(10)]
    await insert(database_url, rows)
    return rows, str(org)


@pytest.mark.parametrize("at_most", [0, 1, 4, 5, 9, 10, 10_000])
async def test_counting_stops_at_a_bound(
    service: Service, line: tuple[list[dict[str, Any]], str], at_most: int
) -> None:
    rows, org = line
    found = await ask(service, rows, at_most, org)
    for place, row in enumerate(rows):
        ahead = found[row["id"]]["ahead"]
        assert ahead["isExact"] == (place <= at_most)
        # Of those that were not read, it is at least so many.
        assert ahead["value"] <= min(place, at_most)
        assert ahead["isExact"] <= (ahead["value"] == place)


async def test_jobs_that_are_not_due_yet_do_not_count_but_may_hide_others(
    service: Service, database_url: str
) -> None:
    org, later = uuid4(), datetime(2126, 1, 1, tzinfo=UTC)
    rows = [job(org_id=org, id=UUID(int=n + 1), scheduled_at=later) for n in range(20)]
    timed = job(org_id=org, id=UUID(int=30), scheduled_at=datetime(2026, 1, 1, tzinfo=UTC))
    at_once = job(org_id=org, id=UUID(int=31))
    await insert(database_url, [*rows, timed, at_once])
    asked = [rows[0], timed, at_once]
    found = await ask(service, asked, 30, str(org))
    assert [found[row["id"]]["ahead"] for row in asked] == [
        {"value": value, "isExact": True} for value in (2, 0, 1)
    ]
    found = await ask(service, asked, 10, str(org))
    assert [found[row["id"]]["ahead"] for row in asked] == [
        {"value": value, "isExact": False} for value in (1, 0, 0)
    ]


@pytest.mark.parametrize("at_most", [-1, 10_001])
async def test_a_bound_out_of_bounds_is_refused(
    service: Service, line: tuple[list[dict[str, Any]], str], at_most: int
) -> None:
    rows, _ = line
    given = {"ids": [str(rows[0]["id"])], "atMost": at_most}
    body = (await service.post(WAITING, given, Joblens_Org=line[1])).json()
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == "'atMost' must be between 0 and 10000."


async def test_many_events_shorten_the_time_that_is_looked_at(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, now = uuid4(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr("resolvers.context.datetime", at(now))
    for module in ("db.queries.queue_activity", "resolvers.waiting"):
        monkeypatch.setattr(f"{module}.MOST_EVENTS", 9)
    waits, quiet = (
        job(org_id=org, queue=queue, created_at=now - 20 * MINUTE) for queue in QUEUES[:2]
    )
    started = [
        job(org_id=org, status="running", created_at=now - n * MINUTE, started_at=now - n * MINUTE)
        for n in range(1, 13)
    ]
    steps = [
        {**step, "ts": row["created_at"]}
        for row in started
        for step in events(row, "queued", "running")
    ]
    old = job(org_id=org, queue="mail", status="running", created_at=now - 30 * MINUTE)
    steps += events(old, "queued", "running")
    await insert(database_url, [waits, quiet, old, *started], steps)
    found = await ask(service, [waits, quiet], org=str(org))
    # Nine events are four starts, and the fifth's creation or start.
    rate = found[waits["id"]]["startsPerMinute"]
    assert rate in (pytest.approx(4 / 5), pytest.approx(1))
    assert found[waits["id"]]["eta"] is None
    # It is not known whether anything was started before that.
    assert found[quiet["id"]]["reasons"] == []
    assert found[quiet["id"]]["startsPerMinute"] is None
    assert found[quiet["id"]]["lastStartInQueue"] == old["started_at"]
