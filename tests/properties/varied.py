"""A fixed ledger of jobs as unlike each other as jobs can be, and the values found in them."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

from tests.support.ledger import events, job

Row = dict[str, Any]

# Ages and thresholds lie hours apart: however long the tests take, each age keeps its side.
NOW = datetime.now(UTC)
AGES = [timedelta(hours=1), timedelta(hours=12), timedelta(days=2), timedelta(days=10)]
THRESHOLDS = [0, 6 * 3600, 86_400, 5 * 86_400, 1e7, 1e300]
FAR = timedelta(days=30)

WORDS = [
    "email.send",
    "Email.Send",
    "email",
    "100%",
    "100x",
    "%",
    "_",
    "a_b",
    "aXb",
    "a\\b",
    "a\\\\b",
    "\\",
    "it's",
    'say "hi"',
    "na\u00efve",
    "nai\u0308ve",
    "stra\u00dfe",
    "STRASSE",
    "\u65e5\u672c\u8a9e",
    "\U0001f680 go",
    "two\nlines\ttab",
    "",
    " ",
    "null",
    "{a,b}",
]
DOCUMENTS: list[Any] = [
    {},
    [],
    {"a": 1},
    {"a": 1.0, "b": [1, 2, {"c": None}]},
    {"a": {"b": {"c": "x", "d": [1]}}},
    {"a": "1"},
    {"a": True},
    {"a": None},
    {"a": []},
    {"a": [[1, 2], [3]], "b": "%"},
    {"a": [{"b": 1}, {"c": 2}]},
    {"to": "na\u00efve", "quote": 'say "hi"', "slash": "a\\b"},
    [1, 2, 3],
    [1, [1, 2], {"a": 1}],
    [[], {}],
    [True, None, "x", 1.5],
    ["x", "y", "x"],
    "x",
    5,
    1.5,
    True,
    False,
]
STEPS = {
    "queued": ["queued"],
    "running": ["queued", "running"],
    "succeeded": ["queued", "running", "succeeded"],
    "failed": ["queued", "running", "failed"],
    "canceled": ["queued", "canceled"],
    "dead_letter": ["queued", "running", "failed", "dead_letter"],
}
JSON_NULL = orjson.Fragment("null")  # in the column; None is no JSON at all

_random = Random(20260101)


def _maybe(values: list[Any]) -> Any:
    return _random.choice([None, *values])


def _job(number: int) -> Row:
    status = _random.choice(list(STEPS))
    created_at = NOW - _random.choice(AGES)
    row = job(
        id=UUID(int=_random.getrandbits(128)),
        status=status,
        type=_random.choice(WORDS),
        queue=_random.choice(WORDS[:8]),
        requested_by=_maybe(WORDS[:4]),
        idempotency_key=_maybe([f"{word}{number}" for word in WORDS]),
        last_error_code=_maybe(WORDS),
        last_error_message=_maybe(WORDS),
        worker=_maybe(WORDS[:5]),
        batch=_maybe(WORDS),
        priority=_random.choice([-(2**31), -1, 0, 1, 2, 2**31 - 1]),
        attempt=_random.randint(0, 5),
        payload=_random.choice([None, JSON_NULL, *DOCUMENTS]),
        created_at=created_at,
        updated_at=created_at + timedelta(microseconds=_random.randint(0, 2)),
        scheduled_at=_maybe([created_at - FAR, created_at + timedelta(minutes=30), NOW + FAR]),
    )
    if status == "running":
        row["started_at"] = _maybe([NOW - age for age in AGES])
    return row


SOURCES = [UUID(int=1_001), UUID(int=1_002)]
JOBS = [_job(number) for number in range(60)]
for _number, _row in enumerate(JOBS):
    # Some parents are not there.
    _row["parent_id"] = _maybe([UUID(int=7), *(parent["id"] for parent in JOBS[:_number][:3])])
    _row["source_id"] = _maybe(SOURCES)
    _row["external_id"] = None if _row["source_id"] is None else _random.choice(WORDS)
    _row["tags"] = _maybe([_random.sample(WORDS, count) for count in (0, 1, 3, 6)])
EVENTS = [event for row in JOBS for event in events(row, *STEPS[row["status"]])]
for _event in EVENTS:
    _event["detail"] = _random.choice([None, JSON_NULL, *DOCUMENTS])

JOBS_BY_ID = {row["id"]: row for row in JOBS}
TIMES = sorted(
    {value for row in (*JOBS, *EVENTS) for value in row.values() if isinstance(value, datetime)}
)
