"""Groups and the distribution of durations, against plain Python over the same jobs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.statuses import JobStatus
from tests.support.effort import examples
from tests.support.ledger import EPOCH, insert, job
from tests.support.service import Service

Row = dict[str, Any]

KEYS = {
    "STATUS": ("status", "status"),
    "TYPE": ("type", "type"),
    "QUEUE": ("queue", "queue"),
    "REQUESTED_BY": ("requestedBy", "requested_by"),
    "LAST_ERROR_CODE": ("lastErrorCode", "last_error_code"),
    "PRIORITY": ("priority", "priority"),
    "SOURCE": ("source", "source"),
    "HEALTH": ("health", "health"),
}
STATS = "{ count avg min max p50 p95 p99 }"
QUERY = f"""query ($by: [JobDimension!]!, $first: Int) {{
    jobGroups(by: $by, first: 200) {{
        key {{ status type queue requestedBy lastErrorCode priority source {{ name }} health }}
        count
        statusCounts {{ status count {{ value isExact }} }}
        oldestCreatedAt
        newestCreatedAt
        wait {STATS}
        run {STATS}
    }}
    few: jobGroups(by: $by, first: $first) {{ count run {{ count }} }}
    jobs {{ nodes {{ id waitSeconds runSeconds }} }}
}}"""

moments = st.timedeltas(timedelta(0), timedelta(hours=3)).map(lambda after: EPOCH + after)


@st.composite
def lived(draw: st.DrawFn) -> Row:
    """A job with any status and times, also such as only clocks that disagree write."""
    status = draw(st.sampled_from(list(JobStatus)))
    finished_at = draw(moments) if status.is_terminal else None
    return job(
        status=status.value,
        created_at=draw(moments),
        scheduled_at=draw(st.none() | moments | st.just(EPOCH.replace(year=9999))),
        started_at=draw(st.none() | moments),
        finished_at=finished_at,
        type=draw(st.sampled_from(["a", "B"])),
        queue=draw(st.sampled_from(["q", "r"])),
        requested_by=draw(st.sampled_from([None, "me", ""])),
        last_error_code=draw(st.sampled_from([None, "x"])),
        priority=draw(st.sampled_from([-1, 0])),
        attempt=draw(st.integers(2, 3)),
        source=draw(st.sampled_from([None, {"name": "one"}, {"name": "other"}])),
    )


def judged(row: Row) -> str:
    """The verdict on a job of a type of which nothing is known."""
    if row["status"] not in {"queued", "running"}:
        return "OK"
    return "FLAPPING" if row["attempt"] == 3 and row["last_error_code"] else "UNKNOWN"


async def add_sources(url: str, org: UUID, rows: list[Row]) -> None:
    ids = {"one": uuid4(), "other": uuid4()}
    connection = await asyncpg.connect(url)
    await connection.executemany(
        "INSERT INTO source (org_id, id, name, kind) VALUES ($1, $2, $3, 'test')",
        [(org, id_, name) for name, id_ in ids.items()],
    )
    await connection.close()
    for row in rows:
        if row["source"] is not None:
            row |= {"source_id": ids[row["source"]["name"]], "external_id": "x"}


def seconds(began: datetime, ended: datetime) -> float:
    return max(0.0, (ended - began) / timedelta(seconds=1))


def waited(row: Row, now: datetime) -> float | None:
    due = max(row["created_at"], row["scheduled_at"] or row["created_at"])
    if row["status"] == "queued":
        return seconds(due, now)
    if row["started_at"] is None or (row["source"] and due >= row["started_at"]):
        return None
    return None if is_unreported(row) else seconds(due, row["started_at"])


def is_unreported(row: Row) -> bool:
    return row["source"] is not None and row["started_at"] == row["finished_at"]


def ran(row: Row, now: datetime) -> float | None:
    if is_unreported(row):
        return None
    if row["started_at"] and row["finished_at"]:
        return seconds(row["started_at"], row["finished_at"])
    return (
        seconds(row["started_at"], now)
        if row["started_at"] and row["status"] == "running"
        else None
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Interpolate between the two values that the place lies between."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = ordered[floor(place)]
    above = ordered[min(floor(place) + 1, len(ordered) - 1)]
    return below + (above - below) * (place - floor(place))


def distribution(durations: Sequence[float | None]) -> dict[str, float | None]:
    values = [value for value in durations if value is not None]
    if not values:
        return dict.fromkeys(("avg", "min", "max", "p50", "p95", "p99"))
    return {
        "avg": sum(values) / len(values),
        "min": min(values),
        "max": max(values),
        **{f"p{percent}": percentile(values, percent / 100) for percent in (50, 95, 99)},
    }


def check_between(found: float | None, low: float | None, high: float | None, what: object) -> None:
    """Durations until now only grow: the answer lies between before the request and after it."""
    if found is None or low is None or high is None:
        assert found is low is high, what
    else:
        assert low - 1e-5 <= found <= high + 1e-5, (what, low, found, high)


def key_of(row: Row, by: Sequence[str]) -> dict[str, Any]:
    key = dict.fromkeys(name for name, _ in KEYS.values())
    for dimension in by:
        name, column = KEYS[dimension]
        key[name] = row[column].upper() if dimension == "STATUS" else row[column]
    return key


def hashable(key: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(each["name"] if isinstance(each, dict) else each for each in key.values())


@examples(60)
@given(
    rows=st.lists(lived(), max_size=15),
    by=st.lists(st.sampled_from(list(KEYS)), min_size=1, max_size=4),
    first=st.integers(0, 4),
)
async def test_groups_agree_with_their_jobs(
    service: Service, database_url: str, rows: list[Row], by: list[str], first: int
) -> None:
    org = uuid4()
    # Drawn rows may be shared between examples: each gets its own id here.
    rows = [row | {"org_id": org, "id": uuid4(), "health": judged(row)} for row in rows]
    await add_sources(database_url, org, rows)
    await insert(database_url, rows)
    before = datetime.now(UTC)
    answer = await service.query(QUERY, {"by": by, "first": first}, Joblens_Org=str(org))
    after = datetime.now(UTC)

    members: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        members[hashable(key_of(row, by))].append(row)
    groups = answer["jobGroups"]
    keys = [hashable(group["key"]) for group in groups]
    assert len(keys) == len(set(keys))
    assert set(keys) == members.keys()
    sizes = [group["count"] for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    assert [group["count"] for group in answer["few"]] == sizes[:first]

    for group in groups:
        own = members[hashable(group["key"])]
        assert group["count"] == len(own)
        statuses = Counter(row["status"] for row in own)
        assert group["statusCounts"] == [
            {"status": s.name, "count": {"value": statuses[s], "isExact": True}} for s in JobStatus
        ]
        created = [row["created_at"] for row in own]
        assert datetime.fromisoformat(group["oldestCreatedAt"]) == min(created)
        assert datetime.fromisoformat(group["newestCreatedAt"]) == max(created)
        for name, rule in (("wait", waited), ("run", ran)):
            low, high = ([rule(row, now) for row in own] for now in (before, after))
            assert group[name].pop("count") == sum(value is not None for value in low)
            lower, upper = distribution(low), distribution(high)
            assert group[name].keys() == lower.keys()
            for stat, value in group[name].items():
                check_between(value, lower[stat], upper[stat], (name, stat))

    by_id = {str(row["id"]): row for row in rows}
    for node in answer["jobs"]["nodes"]:
        row = by_id[node["id"]]
        check_between(node["waitSeconds"], waited(row, before), waited(row, after), row)
        check_between(node["runSeconds"], ran(row, before), ran(row, after), row)


@pytest.mark.parametrize("count", [1, 2, 3, 20, 21, 101])
async def test_percentiles_are_interpolated(
    service: Service, database_url: str, count: int
) -> None:
    org = uuid4()
    runs = [(number * 7 % 101) ** 2 / 8 for number in range(count)]
    rows = [
        job(
            org_id=org,
            status="succeeded",
            started_at=EPOCH,
            finished_at=EPOCH + timedelta(seconds=run),
        )
        for run in runs
    ]
    await insert(database_url, rows)
    query = f"{{ jobGroups(by: [TYPE]) {{ run {STATS} }} }}"
    (group,) = (await service.query(query, Joblens_Org=str(org)))["jobGroups"]
    assert group["run"] == pytest.approx(distribution(runs) | {"count": count})
