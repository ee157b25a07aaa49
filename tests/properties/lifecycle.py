"""What a job's life is, in plain Python: nothing here knows of SQL, nor of the words in `db`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]

STATUSES = ["queued", "running", "succeeded", "failed", "canceled", "dead_letter"]
NEXT = {
    "queued": {"running", "canceled"},
    "running": {"succeeded", "failed", "canceled", "queued"},
    "succeeded": set(),
    "failed": {"queued", "dead_letter", "canceled"},
    "canceled": {"queued"},
    "dead_letter": {"queued"},
}
# Who may queue a job again: an operator retries, a worker gives back or retries what failed.
QUEUED_FROM = {True: {"failed", "canceled", "dead_letter"}, False: {"running", "failed"}}
BASE_SECONDS, CAP_SECONDS, JITTER = 10, 3600, 0.1
# Two jobs of one idempotency key must not differ in these.
IDENTITY = (
    "type",
    "queue",
    "priority",
    "backoff_policy",
    "requested_by",
    "payload",
    "batch",
    "tags",
)
CLOCK_STEP = timedelta(microseconds=1)
LONGEST_MESSAGE = 10_000
SHORTENED = "… [shortened] …"


def kept(message: str | None) -> str | None:
    """What stays of an error's words: never nothing, unless there were none."""
    if not message:
        return None
    words = (
        message.replace("\0", "\ufffd")
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )
    if len(words) <= LONGEST_MESSAGE:
        return words
    tail = (LONGEST_MESSAGE - len(SHORTENED)) // 4
    head = LONGEST_MESSAGE - len(SHORTENED) - tail
    return words[:head] + SHORTENED + words[-tail:]


@dataclass(frozen=True)
class Change:
    """A change of status as its writer asks for it."""

    to: str
    from_: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    result: Any = None
    detail: Row = field(default_factory=dict)
    reason: str | None = None
    by_operator: bool = False

    def input(self, job_id: str) -> Row:
        """Write it as TransitionJobInput."""
        given = {
            "errorCode": self.error_code,
            "errorMessage": self.error_message,
            "result": self.result,
            "detail": self.detail or None,
            "from": self.from_ and self.from_.upper(),
        }
        return {"id": job_id, "to": self.to.upper()} | {
            name: value for name, value in given.items() if value is not None
        }


class ModelJob:
    """A job as it must be: `started` and `finished` are numbers of the events that set them."""

    def __init__(self, given: Row, detail: Row | None = None) -> None:
        self.given = {name: given[name] for name in (*IDENTITY, "idempotency_key")}
        self.first_priority: int = given["priority"]
        self.status = "queued"
        self.attempt = 0
        self.max_attempts: int = given["max_attempts"]
        self.scheduled_at: datetime | None = given["scheduled_at"]
        self.wait: tuple[int, float] | None = None  # from which event on, for how many seconds
        self.started: int | None = None
        self.finished: int | None = None
        self.error: tuple[str | None, str | None] = (None, None)
        self.result: Any = None
        self.events: list[tuple[Any, ...]] = []
        self._tell(None, detail or {})

    def same_input(self, given: Row) -> bool:
        """Whether it is what a second call with the key asks for: by its first priority, too."""
        others = all(self.given[name] == given[name] for name in IDENTITY if name != "priority")
        return others and given["priority"] in {self.first_priority, self.given["priority"]}

    def refuses(self, change: Change) -> bool:
        return change.from_ not in {None, self.status} or not self.may(
            change.to, by_operator=change.by_operator
        )

    def may(self, to: str, *, by_operator: bool) -> bool:
        if to not in NEXT[self.status]:
            return False
        if to == "queued" and self.status not in QUEUED_FROM[by_operator]:
            return False
        retries = to == "queued" and self.status == "failed" and not by_operator
        return not (retries or to == "running") or self.attempt < self.max_attempts

    def allowed(self, *, by_operator: bool) -> list[str]:
        return [to.upper() for to in STATUSES if self.may(to, by_operator=by_operator)]

    def change(self, change: Change) -> None:
        """Carry out a change that is not refused."""
        before, number = self.status, len(self.events) + 1
        self.status = change.to
        if change.to == "running":
            self.attempt += 1
            self.started = number
        elif change.to == "queued":
            self.started = self.finished = self.scheduled_at = self.wait = None
            self.max_attempts = max(self.max_attempts, self.attempt + 1)
            if before == "failed" and not change.by_operator:
                self.wait = self._wait(number)
        else:
            self._end(change, number)
        errors = {"error_code": change.error_code, "error_message": kept(change.error_message)}
        notes = {**errors, "reason": change.reason}
        self._tell(before, {**change.detail, **{k: v for k, v in notes.items() if v is not None}})

    def note(self, detail: Row) -> None:
        self._tell(self.status, detail)

    def reschedule(self, wanted: Row, before: Row, after: Row, reason: str | None) -> None:
        """Change the schedule. `before`, `after`: the rows of the tables; these have the time."""
        due: datetime | None = before["scheduled_at"]
        at, priority = wanted.get("at"), wanted.get("priority")
        if at is not None:
            due = datetime.fromisoformat(at)
        elif "at" in wanted or priority is None:
            is_due = due is None or due <= after["updated_at"]
            due = due if is_due else after["scheduled_at"]
            assert due is None or due <= after["updated_at"]
        if due != before["scheduled_at"]:
            self.scheduled_at, self.wait = due, None
        told = {"from": _schedule(before["scheduled_at"], self.given["priority"])}
        if priority is not None:
            self.given["priority"] = priority
        told["to"] = _schedule(due, self.given["priority"])
        why = {} if reason is None else {"reason": reason}
        self._tell(self.status, {"rescheduled": told, **why})

    def _end(self, change: Change, number: int) -> None:
        self.finished = self.finished or number
        if change.result is not None:
            self.result = change.result
        message = kept(change.error_message)
        if change.error_code is not None or message is not None:
            self.error = (change.error_code, message)

    def _wait(self, number: int) -> tuple[int, float] | None:
        seconds = {
            "none": None,
            "fixed": BASE_SECONDS,
            "exponential": min(BASE_SECONDS * 2 ** (self.attempt - 1), CAP_SECONDS),
        }[self.given["backoff_policy"]]
        return None if seconds is None else (number, seconds)

    def _tell(self, before: str | None, detail: Row) -> None:
        self.events.append((before, self.status, self.attempt, {**detail, "by": "anonymous"}))

    def check(self, row: Row, events: Sequence[Row]) -> None:
        """Compare with what the tables hold."""
        names = ("seq", "prev_status", "next_status", "attempt", "detail")
        told = [tuple(event[name] for name in names) for event in events]
        assert told == [(number, *event) for number, event in enumerate(self.events, start=1)]
        assert {name: row[name] for name in self.given} == self.given
        assert (row["status"], row["event_seq"]) == (self.status, len(self.events))
        assert (row["attempt"], row["max_attempts"]) == (self.attempt, self.max_attempts)
        assert (row["last_error_code"], row["last_error_message"]) == self.error
        assert row["result"] == self.result
        moments = {event["seq"]: event["ts"] for event in events} | {None: None}
        assert (row["started_at"], row["finished_at"]) == (
            moments[self.started],
            moments[self.finished],
        )
        assert (row["created_at"], row["updated_at"]) == (moments[1], moments[len(events)])
        self._check_schedule(row["scheduled_at"], moments)

    def _check_schedule(
        self, scheduled_at: datetime | None, moments: dict[int | None, Any]
    ) -> None:
        if self.wait is None:
            assert scheduled_at == self.scheduled_at
            return
        number, seconds = self.wait
        assert scheduled_at is not None
        off = (scheduled_at - moments[number]) - timedelta(seconds=seconds)
        assert abs(off) <= timedelta(seconds=seconds * JITTER) + CLOCK_STEP


def _schedule(due: datetime | None, priority: int) -> Row:
    return {"scheduled_at": due and due.isoformat(), "priority": priority}
