"""How the driver reads and writes times and JSON on the connections of an engine.

Both go as text, which functions in C read. The driver's own codec of times adds a timedelta to
each, which takes ten times as long.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from db.limits import MAX_INT64, MIN_INT64
from db.times import clamped_from, from_microseconds, to_microseconds

INFINITIES = {"infinity": MAX_INT64, "-infinity": MIN_INT64}
_OUT_OF_RANGE = re.compile(r"(\d+)(-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\+00( BC)?")
# After so many years the calendar repeats.
CYCLE_YEARS, CYCLE_MICROSECONDS = 400, 146_097 * 86_400_000_000


async def set_codecs(connection: Any, decode_json: Callable[[str], Any]) -> None:
    """Set the codecs of an asyncpg connection whose time zone is UTC. Costs no round trip."""
    for name, encode, decode in (
        ("timestamptz", write_time, read_time),
        ("jsonb", str, decode_json),
        ("json", str, decode_json),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode, decoder=decode, format="text"
        )


def read_time(text: str, parse: Callable[[str], datetime] = datetime.fromisoformat) -> datetime:
    """Parse PostgreSQL's text of a time in UTC. Those beyond Python's years are clamped."""
    try:
        return parse(text)
    except ValueError:
        return from_microseconds(_microseconds(text))


def _microseconds(text: str) -> int:
    """Return the microseconds since 2000 of a time that Python does not have."""
    if text in INFINITIES:
        return INFINITIES[text]
    match = _OUT_OF_RANGE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year = 1 - int(match[1]) if match[3] else int(match[1])
    cycles, rest = divmod(year - 2000, CYCLE_YEARS)
    time = datetime.fromisoformat(f"{2000 + rest}{match[2]}+00:00")
    return to_microseconds(time) + cycles * CYCLE_MICROSECONDS


def write_time(time: datetime) -> str:
    """Write a time as PostgreSQL reads it; a clamped one as it was. Raises ValueError."""
    if time.tzinfo is None:
        raise ValueError("A time must have a time zone.")
    count = clamped_from(time)
    return time.isoformat() if count is None else _text(count)


def _text(count: int) -> str:
    for text, end in INFINITIES.items():
        if count == end:
            return text
    cycles, rest = divmod(count, CYCLE_MICROSECONDS)
    time = from_microseconds(rest)
    year = time.year + cycles * CYCLE_YEARS
    written, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{written:04}{time.isoformat()[4:]}{era}"
