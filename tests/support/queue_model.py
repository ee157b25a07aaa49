"""What is so of queues and workers, by plain Python over jobs and events: nothing of db/ is used."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from db.engine import create_engine
from db.tallies.summing import Outcome, sum_once
from tests.support.ledger import events, job

QUEUES = ["default", "mail", "nightly", "paused"]
MINUTE = timedelta(minutes=1)


def due_at(row: dict[str, Any]) -> datetime:
    found: datetime = max(row["queued_at"], row.get("scheduled_at") or row["queued_at"])
    return found


def is_due(row: dict[str, Any], now: datetime) -> bool:
    return row["status"] == "queued" and (row.get("scheduled_at") or now) <= now


def order(row: dict[str, Any]) -> tuple[int, UUID]:
    return -row["priority"], row["id"]


class Model:
    """What is so of the jobs of one organisation at a time."""

    def __init__(self, rows: Sequence[dict[str, Any]], steps: Sequence[dict[str, Any]]) -> None:
        self.rows = rows
        self.jobs = {row["id"]: row for row in rows}
        self.changes = [step for step in steps if step["prev_status"] != step["next_status"]]
        self.changes_of = defaultdict(list)
        for step in self.changes:
            self.changes_of[step["job_id"]].append(step)
        self.starts = [
            (self.jobs[step["job_id"]]["queue"], step["ts"])
            for step in self.changes
            if step["next_status"] == "running"
        ]

    def waiting(self, row: dict[str, Any], now: datetime) -> Any:
        if row["status"] != "queued":
            return None
        own = [other for other in self.rows if other["queue"] == row["queue"]]
        due = [other for other in own if is_due(other, now)]
        waits = is_due(row, now)
        ahead = sum(order(other) < order(row) for other in due) if waits else len(due)
        starts = [ts for queue, ts in self.starts if queue == row["queue"] and ts <= now]
        lately = [ts for ts in starts if ts >= now - 15 * MINUTE]
        reasons = []
        if not waits:
            reasons.append("BACKING_OFF" if row["attempt"] else "SCHEDULED")
        if waits and ahead:
            reasons.append("BEHIND_OTHERS")
        if waits and not lately:
            reasons.append("NO_RECENT_STARTS")
        return {
            "reasons": reasons,
            "dueAt": due_at(row),
            "ahead": ahead,
            "running": sum(other["status"] == "running" for other in own),
            "startsPerMinute": len(lately) / 15 if lately else None,
            "eta": now + (ahead + 1) * 15 * MINUTE / len(lately)
            if waits and len(lately) >= 10
            else None,
            "lastStartInQueue": max(starts, default=None),
        }

    def queues(self, now: datetime, minutes: int) -> dict[str, Any]:
        """Summarise each queue that has something to do, or whose jobs changed."""
        start = now - minutes * MINUTE
        changes = [step for step in self.changes if start <= step["ts"] < now]
        names = {self.jobs[step["job_id"]]["queue"] for step in changes}
        names |= {row["queue"] for row in self.rows if row["status"] in {"queued", "running"}}
        return {name: self._queue(name, now, minutes, changes) for name in names}

    def _queue(
        self, name: str, now: datetime, minutes: int, changes: Sequence[dict[str, Any]]
    ) -> Any:
        own = [row for row in self.rows if row["queue"] == name]
        due = sorted((row for row in own if is_due(row, now)), key=order)
        changes = [step for step in changes if self.jobs[step["job_id"]]["queue"] == name]
        reached = [step["next_status"] for step in changes]
        started, queued = reached.count("running"), reached.count("queued")
        drains = len(due) > 0 and started >= 10 and started > queued
        return {
            "due": len(due),
            "scheduled": sum(row["status"] == "queued" for row in own) - len(due),
            "running": sum(row["status"] == "running" for row in own),
            "oldestDueAt": min(map(due_at, due), default=None),
            "latencySeconds": max(0, (now - due_at(due[0])).total_seconds()) if due else None,
            "started": started,
            "succeeded": reached.count("succeeded"),
            "failed": reached.count("failed"),
            "wait": stats(known(map(self.wait, changes))),
            "run": stats(known(map(self.run, changes))),
            "drainEta": now + len(due) * minutes * MINUTE / (started - queued) if drains else None,
        }

    def workers(self, now: datetime, minutes: int) -> list[tuple[str, int, datetime]]:
        """Name the workers that run jobs or were seen: with the jobs that run, and when."""
        seen: dict[str, datetime] = {}
        running: Counter[str] = Counter()
        since = now - minutes * MINUTE
        for row in self.rows:
            name, time = row.get("worker"), self.seen(row)
            counts = row["status"] == "running" or row["updated_at"] >= since
            if name is not None and time is not None and counts:
                seen[name] = max(time, seen.get(name, time))
                running[name] += row["status"] == "running"
        names = [name for name in seen if running[name] or seen[name] >= since]
        names.sort(key=lambda name: (-running[name], -seen[name].timestamp(), name))
        return [(name, running[name], seen[name]) for name in names]

    def seen(self, row: dict[str, Any]) -> datetime | None:
        """Return when a job's worker was last heard of."""
        if row["status"] == "running":
            return max(time for time in (row["updated_at"], row.get("progress_at")) if time)
        if row["status"] in {"succeeded", "failed", "dead_letter"}:
            time: datetime | None = row["finished_at"]
            return time
        started: datetime | None = row.get("started_at")
        return started

    def wait(self, step: dict[str, Any]) -> timedelta | None:
        """Return how long the run that a change started had waited."""
        if (step["prev_status"], step["next_status"]) != ("queued", "running"):
            return None
        row = self.jobs[step["job_id"]]
        began = due_at(row) if row["started_at"] == step["ts"] else self.previous(step)
        return max(step["ts"] - began, timedelta(0))

    def run(self, step: dict[str, Any]) -> timedelta | None:
        """Return how long the run that a change ended had taken."""
        if step["prev_status"] != "running" or step["next_status"] == "running":
            return None
        return max(step["ts"] - self.previous(step), timedelta(0))

    def previous(self, step: dict[str, Any]) -> datetime:
        before = [
            other["ts"] for other in self.changes_of[step["job_id"]] if other["seq"] < step["seq"]
        ]
        return before[-1]


def known(durations: Iterable[timedelta | None]) -> list[timedelta]:
    return [each for each in durations if each is not None]


def stats(durations: Sequence[timedelta]) -> dict[str, Any]:
    """Compute statistics; percentiles are interpolated."""
    seconds = sorted(each.total_seconds() for each in durations)
    return {
        "count": len(seconds),
        "p50": percentile(seconds, 0.5),
        "p95": percentile(seconds, 0.95),
        "max": seconds[-1] if seconds else None,
    }


def percentile(seconds: Sequence[float], share: float) -> float | None:
    if not seconds:
        return None
    place = share * (len(seconds) - 1)
    below = seconds[int(place)]
    above = seconds[min(int(place) + 1, len(seconds) - 1)]
    return below + (above - below) * (place % 1)


def rounded(expected: Any) -> Any:
    """Compare numbers with fractions only nearly, and times to the microsecond or so."""
    if isinstance(expected, dict):
        return {name: rounded(value) for name, value in expected.items()}
    return pytest.approx(expected) if isinstance(expected, float) else expected


def model_of(records: Sequence[dict[str, Any]]) -> Model:
    """Make the model of jobs that are given as import records."""
    steps = [
        {**step, "ts": parsed(step["ts"]), "job_id": UUID(record["id"]), "seq": seq}
        for record in records
        for seq, step in enumerate(record["events"])
    ]
    return Model([row_of(record) for record in records], steps)


def row_of(record: dict[str, Any]) -> dict[str, Any]:
    """Derive what a job is from its record, as the format says."""
    steps = record["events"]
    changes = [step for step in steps if step["prev_status"] != step["next_status"]]
    times = [parsed(step["ts"]) for step in steps]
    queued = [parsed(step["ts"]) for step in changes if step["next_status"] == "queued"]
    starts = [parsed(step["ts"]) for step in changes if step["next_status"] == "running"]
    ended = record["status"] not in {"queued", "running"}
    notes = [step for step in steps if "progress" in (step.get("detail") or {})]
    return {
        **{name: record.get(name) for name in ("queue", "priority", "status", "worker")},
        "id": UUID(record["id"]),
        "attempt": len(starts),
        "queued_at": queued[-1],
        "scheduled_at": record.get("scheduled_at") and parsed(record["scheduled_at"]),
        "started_at": starts[-1] if starts and record["status"] != "queued" else None,
        "finished_at": parsed(steps[-1]["ts"]) if ended else None,
        "updated_at": max(times),
        "progress": progress_of(notes[-1]) if notes else None,
    }


def progress_of(step: dict[str, Any]) -> dict[str, Any]:
    """Return what an event tells of progress, as `Job.progress` does."""
    return {"step": None, **step["detail"]["progress"], "at": parsed(step["ts"])}


def parsed(time: str) -> datetime:
    return datetime.fromisoformat(time)


def plain(told: Any) -> Any:
    """Check that the counts are exact, leave their values, and read the times."""
    for name, value in told.items():
        if isinstance(value, dict) and "isExact" in value:
            assert value["isExact"]
            told[name] = value["value"]
        elif value is not None and (
            name == "at" or name.endswith("At") or name in {"eta", "drainEta", "lastStartInQueue"}
        ):
            told[name] = parsed(value)
    return told


def random_history(
    random: Random, now: datetime, org: UUID, count: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Make jobs of the last forty minutes in several queues, and their events."""
    rows = [_random_job(random, now, org) for _ in range(count)]
    return rows, [step for row in rows for step in _history(random, row)]


def _random_job(random: Random, now: datetime, org: UUID) -> dict[str, Any]:
    status = random.choice(["queued"] * 4 + ["running", "succeeded"])
    created = now - timedelta(seconds=random.randrange(1, 40 * 60))
    times = [None, None, now - 5 * MINUTE, now - timedelta(seconds=1), now + 5 * MINUTE]
    row = job(
        org_id=org,
        status=status,
        queue=random.choice(QUEUES[:3] if status == "running" else QUEUES),
        priority=random.choice([0, 0, 0, 5, -5]),
        created_at=created,
        scheduled_at=random.choice(times) if status == "queued" else None,
        attempt=random.choice([0, 0, 1]),
    )
    if row["queue"] == "paused":
        row["status"] = "queued"
    return row


def _history(random: Random, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Make events that end with the row's status; some were started before."""
    begun = ["queued", *(["running", "queued"] if random.random() < 0.3 else [])]
    if row["queue"] == "paused":
        begun = ["queued"]
    last = {"queued": [], "running": ["running"], "succeeded": ["running", "succeeded"]}
    steps = events(row, *begun, *last[row["status"]])
    row["queued_at"] = steps[len(begun) - 1]["ts"]
    for step in steps:
        if step["next_status"] == "running" and row["status"] != "queued":
            row["started_at"] = step["ts"]
    if row["status"] == "queued":
        row["started_at"] = row["finished_at"] = None
    if row["status"] == "succeeded":
        row["finished_at"] = steps[-1]["ts"]
    row["updated_at"] = steps[-1]["ts"]
    return steps


def at(now: datetime) -> type[datetime]:
    """Make a class of times whose now stands still."""

    class Still(datetime):
        @classmethod
        def now(cls, _zone: Any = None) -> datetime:  # type: ignore[override]
            return now

    return Still


async def summed(url: str, org: UUID) -> None:
    """Make the organisation's tallies."""
    engine = create_engine(url)
    while (await sum_once(engine, org)).outcome is not Outcome.DONE:
        pass
    await engine.dispose()
