"""Whether contestants give the same answer, each in its own spelling."""

import math
import re
from typing import Any

import orjson

# UTC has two spellings, and zeros at the end of a fraction may be left out.
_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00:00)"')
# How long a job waits or runs grows until it ends.
_GROWING = ("waitSeconds", "runSeconds")
_GROWN_SECONDS = 60.0


def data_of(answer: bytes) -> Any:
    """Get an answer's data in one spelling. Raises RuntimeError if it has errors."""
    found = orjson.loads(_TIME.sub(_time, answer))
    if "errors" in found:
        raise RuntimeError(f"an answer has errors: {found['errors'][0]}")
    return found["data"]


def of_postgraphile(data: Any) -> Any:
    """Convert an answer to queries.NESTED_OF_POSTGRAPHILE to one to queries.NESTED."""
    for job in data["jobs"]["nodes"]:
        job["status"] = job["status"].upper()
        for event in job["events"]["nodes"]:
            event["id"] = f"{event.pop('jobId')}:{event.pop('seq')}"
            for name in ("prevStatus", "nextStatus"):
                event[name] = event[name] and event[name].upper()
    return data


def are_equal(one: Any, other: Any, name: str = "") -> bool:
    """Compare data; what grows with time may have grown in between."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_equal(one[k], other[k], k) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_equal, one, other))
    if name in _GROWING and None not in (one, other):
        return math.isclose(one, other, abs_tol=_GROWN_SECONDS)
    return bool(one == other)


def _time(match: re.Match[bytes]) -> bytes:
    return b'"%s.%sZ"' % (match[1], (match[2] or b"").ljust(6, b"0"))
