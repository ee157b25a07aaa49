"""`queues` against a plain model, which knows nothing of db/."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.support.ledger import events, insert, job
from tests.support.queue_model import MINUTE, Model, at, random_history, rounded, summed
from tests.support.service import Service

SUMMARY = """name due { value isExact } scheduled { value isExact } running { value isExact }
  oldestDueAt latencySeconds started succeeded failed drainEta
  wait { count p50 p95 max } run { count p50 p95 max }"""
QUERY = f"""query ($minutes: Int, $first: Int, $names: [String!]) {{
  queues(minutes: $minutes, first: $first, names: $names) {{ {SUMMARY} }}
}}"""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

NOTHING = {
    **dict.fromkeys(("due", "scheduled", "running", "started", "succeeded", "failed"), 0),
    **dict.fromkeys(("oldestDueAt", "latencySeconds", "drainEta")),
    **{name: {"count": 0, "p50": None, "p95": None, "max": None} for name in ("wait", "run")},
}

each_way = pytest.mark.parametrize("with_tallies", [False, True], ids=["no tallies", "tallies"])


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.context.datetime", at(NOW))


async def ask(
    service: Service, org: str, minutes: int | None = 15, **arguments: Any
) -> dict[str, Any]:
    data = await service.query(
        QUERY, {"minutes": minutes, "first": None, **arguments}, Joblens_Org=org
    )
    found = {queue.pop("name"): queue for queue in data["queues"]}
    assert len(found) == len(data["queues"])
    for told in found.values():
        for name in ("oldestDueAt", "drainEta"):
            told[name] = told[name] and datetime.fromisoformat(told[name])
    return found


def plain(told: dict[str, Any]) -> dict[str, Any]:
    """Check that the counts are exact, and leave their values."""
    counts = {name: told[name] for name in ("due", "scheduled", "running")}
    assert all(count["isExact"] for count in counts.values())
    return told | {name: count["value"] for name, count in counts.items()}


@each_way
@pytest.mark.parametrize("minutes", [5, 15, 60])
async def test_a_random_ledger_is_as_the_model_says(
    service: Service, database_url: str, with_tallies: bool, minutes: int
) -> None:
    org = uuid4()
    rows, steps = random_history(Random(minutes), NOW, org, 400)
    await insert(database_url, rows, steps)
    if with_tallies:
        await summed(database_url, org)
    expected = Model(rows, steps).queues(NOW, minutes)
    found = await ask(service, str(org), minutes)
    assert {name: plain(told) for name, told in found.items()} == rounded(expected)
    assert len(found) == 4
    for names in (["no such"], [*sorted(found)[:2], "no such", "no such"], []):
        named = await ask(service, str(org), minutes, names=names)
        assert named.keys() == set(names)
        for name, told in named.items():
            assert plain(told) == (rounded(expected)[name] if name in expected else NOTHING)


@each_way
async def test_what_is_long_is_counted_by_the_sums_or_up_to_a_bound(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch, with_tallies: bool
) -> None:
    monkeypatch.setattr("resolvers.queues.MOST_READ", 5)
    org = uuid4()
    late = NOW + timedelta(days=1)
    rows = [
        *(job(n, org_id=org, queue="due") for n in range(12)),
        *(job(n, org_id=org, queue="due", scheduled_at=late) for n in range(3)),
        *(job(n, org_id=org, queue="late", scheduled_at=late) for n in range(9)),
    ]
    await insert(database_url, rows, [step for row in rows for step in events(row, "queued")])
    if with_tallies:
        await summed(database_url, org)
    found = await ask(service, str(org))
    assert found["due"]["due"] == {"value": 12 if with_tallies else 5, "isExact": with_tallies}
    assert found["due"]["scheduled"] == {"value": 3, "isExact": True}
    assert found["late"]["scheduled"] == {"value": 5, "isExact": False}
    assert found["late"]["due"] == {"value": 0, "isExact": False}


async def test_which_goes_next_is_not_guessed(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs with a time that go first may be due, too, but were not read."""
    monkeypatch.setattr("resolvers.queues.MOST_READ", 5)
    org, late = uuid4(), NOW + timedelta(days=1)
    rows = [job(n, org_id=org, priority=1, scheduled_at=late) for n in range(6)]
    rows.append(job(6, org_id=org))
    await insert(database_url, rows)
    found = (await ask(service, str(org)))["default"]
    assert found["latencySeconds"] is None
    assert found["oldestDueAt"] == rows[-1]["queued_at"]


@each_way
async def test_there_is_a_bound_to_the_queues(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch, with_tallies: bool
) -> None:
    monkeypatch.setattr("resolvers.queues.MAX_QUEUES", 4)
    org = uuid4()
    rows = []
    # Of those that changed lately, "busy" did most; of the others, "long" has the most jobs.
    for name, count, minutes in (
        ("busy", 3, 5), ("calm", 1, 5), ("long", 4, 90), ("short", 2, 90), ("tiny", 1, 90), ("idle", 0, 0),
    ):  # fmt: skip
        created = NOW - minutes * MINUTE
        rows += [job(org_id=org, queue=name, created_at=created) for _ in range(count)]
    done = job(org_id=org, queue="idle", status="succeeded", created_at=NOW - 90 * MINUTE)
    steps = [step for row in rows for step in events(row, "queued")]
    await insert(database_url, [*rows, done], steps)
    if with_tallies:
        await summed(database_url, org)
    found = list(await ask(service, str(org)))
    # Without sums it is not known which of them have the most jobs.
    assert found == ["busy", "calm", "long", "short"]
    for first in (3, 1, 0):
        assert list(await ask(service, str(org), first=first)) == found[:first]
    for name in ("tiny", "idle"):
        assert list(await ask(service, str(org), names=[name])) == [name]
    two = await ask(service, str(org), names=["tiny", "busy", "long"], first=2)
    assert list(two) == ["busy", "long"]
    monkeypatch.setattr("resolvers.queues.MAX_QUEUES", 2)
    assert list(await ask(service, str(org))) == ["busy", "calm"]


async def test_other_queues_of_types_are_not_taken_for_one(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where tallies have no key of its own for each queue, they do not answer."""
    monkeypatch.setattr("tests.support.queue_model.sum_once", _few_keys)
    org = uuid4()
    rows = [job(n, org_id=org, queue=f"q{n}") for n in range(5)]
    await insert(database_url, rows, [step for row in rows for step in events(row, "queued")])
    await summed(database_url, org)
    found = await ask(service, str(org))
    assert {name: plain(told)["due"] for name, told in found.items()} == {
        f"q{n}": 1 for n in range(5)
    }


async def _few_keys(engine: Any, org: Any) -> Any:
    from db.tallies.summing import sum_once  # noqa: PLC0415

    return await sum_once(engine, org, max_keys=2)


@pytest.mark.parametrize("minutes", [0, -1, 61])
async def test_minutes_out_of_bounds_are_refused(service: Service, minutes: int) -> None:
    body = (await service.post(QUERY, {"minutes": minutes})).json()
    assert body["errors"][0]["message"] == "'minutes' must be between 1 and 60."
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("first", [-1, 201])
async def test_numbers_out_of_bounds_are_refused(service: Service, first: int) -> None:
    body = (await service.post(QUERY, {"first": first})).json()
    assert body["errors"][0]["message"] == "'first' must be between 0 and 200."
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a\0b"], "Text must not contain the character U+0000."),
        ([f"queue {n}" for n in range(201)], "'names' must have at most 200 values."),
    ],
)
async def test_names_that_cannot_be_are_refused(
    service: Service, names: list[str], message: str
) -> None:
    body = (await service.post(QUERY, {"names": names})).json()
    assert body["errors"][0]["message"] == message
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_null_is_the_default(service: Service, database_url: str) -> None:
    org = uuid4()
    await insert(database_url, [row := job(org_id=org, created_at=NOW)], events(row, "queued"))
    assert await ask(service, str(org), None) == await ask(service, str(org), 15)
    assert await ask(service, str(uuid4())) == {}
