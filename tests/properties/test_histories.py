"""What is told of events over time: the timeline, a job's attempts and its latest event."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from db.statuses import TRANSITIONS, JobStatus
from tests.support.effort import examples
from tests.support.ledger import EPOCH, insert, job
from tests.support.service import Service

Row = dict[str, Any]

LENGTHS = {
    "MINUTE": timedelta(minutes=1),
    "FIVE_MINUTES": timedelta(minutes=5),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(days=7),
}
COUNTS = {
    "started": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
    "deadLettered": "dead_letter",
}
TIMELINE = """query ($from: DateTime!, $until: DateTime!, $bucket: TimeBucketSize!) {
    timeline(from: $from, until: $until, bucket: $bucket) {
        start created started succeeded failed canceled deadLettered
    }
}"""
HISTORY = """{
    jobs {
        nodes {
            id
            latestEvent { id nextStatus }
            attempts { number startedAt finishedAt outcome runSeconds errorCode errorMessage }
        }
    }
}"""
# Two lie before the Monday from which weeks might be counted.
ERAS = [EPOCH, datetime(1999, 12, 30, 23, 58, tzinfo=UTC), datetime(1969, 12, 28, tzinfo=UTC)]

steps = st.tuples(
    st.none() | st.sampled_from([status.value for status in JobStatus]),
    st.sampled_from([status.value for status in JobStatus]),
)


def bucket_start(time: datetime, size: str) -> datetime:
    """The wall clock's own rounding, in UTC."""
    minute = time.replace(second=0, microsecond=0)
    day = minute.replace(hour=0, minute=0)
    return {
        "MINUTE": minute,
        "FIVE_MINUTES": minute.replace(minute=minute.minute - minute.minute % 5),
        "HOUR": minute.replace(minute=0),
        "DAY": day,
        "WEEK": day - timedelta(days=day.weekday()),
    }[size]


@examples(60)
@given(data=st.data(), size=st.sampled_from(list(LENGTHS)), era=st.sampled_from(ERAS))
async def test_a_timeline_counts_each_step_in_its_bucket(
    service: Service, database_url: str, data: st.DataObject, size: str, era: datetime
) -> None:
    length = LENGTHS[size]
    offsets = st.integers(-1, 5).map(lambda n: n * length) | st.timedeltas(-length, 5 * length)
    times = offsets.map(lambda after: era + after)
    start, until = sorted(data.draw(st.tuples(times, times).filter(lambda t: t[0] != t[1])))
    edges = [start, until, bucket_start(until, size), *(start + n * length for n in range(3))]
    shifts = st.sampled_from([timedelta(0), timedelta(microseconds=-1)])
    near = st.builds(lambda at, shift: at + shift, st.sampled_from(edges), shifts)
    drawn = data.draw(st.lists(st.tuples(times | near, steps), max_size=12))

    org = uuid4()
    owner = job(org_id=org)
    rows = [
        {
            "org_id": org,
            "job_id": owner["id"],
            "seq": seq,
            "ts": ts,
            "prev_status": before,
            "next_status": after,
            "attempt": 0,
        }
        for seq, (ts, (before, after)) in enumerate(drawn, start=1)
    ]
    await insert(database_url, [owner], rows)
    zone = timezone(timedelta(minutes=data.draw(st.sampled_from([0, 330, -600]))))
    variables = {
        "from": start.astimezone(zone).isoformat(),
        "until": until.isoformat(),
        "bucket": size,
    }
    answer = await service.query(TIMELINE, variables, Joblens_Org=str(org))

    counted: Counter[tuple[datetime, str]] = Counter()
    for ts, (before, after) in drawn:
        if start <= ts < until and before != after:
            counted[bucket_start(ts, size), after] += 1
            counted[bucket_start(ts, size), "created"] += before is None
    starts = [bucket_start(start, size)]
    while starts[-1] + length < until:
        starts.append(starts[-1] + length)
    assert [datetime.fromisoformat(bucket["start"]) for bucket in answer["timeline"]] == starts
    for at, bucket in zip(starts, answer["timeline"], strict=True):
        assert bucket["created"] == counted[at, "created"]
        assert {name: bucket[name] for name in COUNTS} == {
            name: counted[at, status] for name, status in COUNTS.items()
        }


details = st.sampled_from(
    [None, {}, [], "text", {"error_code": "E1"}, {"error_code": None, "error_message": "why"}]
)


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str | None, str, Any]]:
    """What happens to one job: changes of status as they are allowed, and notes in between."""
    status = JobStatus.QUEUED
    life: list[tuple[str | None, str, Any]] = [(None, status.value, None)]
    for _ in range(draw(st.integers(0, 9))):
        following = draw(st.sampled_from([status, *sorted(TRANSITIONS[status])]))
        life.append((status.value, following.value, draw(details)))
        status = following
    return life


def events_of(owner: Row, life: list[tuple[str | None, str, Any]]) -> list[Row]:
    attempt = 0
    rows = []
    for seq, (before, after, detail) in enumerate(life, start=1):
        attempt += after == "running" and before != after
        rows.append(
            {
                "org_id": owner["org_id"],
                "job_id": owner["id"],
                "seq": seq,
                "ts": EPOCH + timedelta(seconds=seq // 2),  # some at the same time
                "prev_status": before,
                "next_status": after,
                "attempt": attempt,
                "detail": detail,
            }
        )
    return rows


def attempts_of(rows: list[Row]) -> list[dict[str, Any]]:
    """Each start, with the first change of status after it."""
    changes = [row for row in rows if row["prev_status"] != row["next_status"]]
    found = []
    for start, end in zip(changes, [*changes[1:], None], strict=True):
        if start["next_status"] != "running":
            continue
        attempt = dict.fromkeys(("finishedAt", "outcome", "errorCode", "errorMessage"))
        if end is not None:
            detail = end["detail"] if isinstance(end["detail"], dict) else {}
            attempt["finishedAt"] = end["ts"]
            attempt["outcome"] = end["next_status"].upper()
            attempt["errorCode"] = detail.get("error_code")
            attempt["errorMessage"] = detail.get("error_message")
        found.append({"number": len(found) + 1, "startedAt": start["ts"], **attempt})
    return found


@examples(60)
@given(drawn=st.lists(lives(), max_size=5))
async def test_attempts_and_latest_event_follow_from_the_events(
    service: Service, database_url: str, drawn: list[list[tuple[str | None, str, Any]]]
) -> None:
    org = uuid4()
    owners = [job(org_id=org) for _ in drawn]
    rows = {str(o["id"]): events_of(o, life) for o, life in zip(owners, drawn, strict=True)}
    await insert(database_url, owners, [row for of_one in rows.values() for row in of_one])
    before = datetime.now(UTC)
    nodes = (await service.query(HISTORY, Joblens_Org=str(org)))["jobs"]["nodes"]
    after = datetime.now(UTC)
    assert {node["id"] for node in nodes} == rows.keys()
    for node in nodes:
        own = rows[node["id"]]
        assert node["latestEvent"] == {
            "id": f"{node['id']}:{len(own)}",
            "nextStatus": own[-1]["next_status"].upper(),
        }
        for attempt in node["attempts"]:
            started, ran = attempt["startedAt"], attempt.pop("runSeconds")
            attempt["startedAt"] = datetime.fromisoformat(started)
            ended = attempt["finishedAt"] and datetime.fromisoformat(attempt["finishedAt"])
            attempt["finishedAt"] = ended
            low, high = (
                ((ended or now) - attempt["startedAt"]).total_seconds() for now in (before, after)
            )
            assert low <= ran <= high
        assert node["attempts"] == attempts_of(own)
