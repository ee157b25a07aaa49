"""Values of PostgreSQL, read from the text that it writes them as.

All columns are read as text, so that a row is the same whether a SELECT or the write-ahead log
reported it. Sessions must have TimeZone = UTC and DateStyle = ISO.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from db.limits import MAX_JSON_BYTES

Column = Callable[[str], Any]

# Years from which queues write "never".
_NEVER = 9999
_BYTES = re.compile(r"\\x((?:[0-9a-f]{2})*)", re.IGNORECASE)
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', re.DOTALL)


def text(value: str) -> str:
    """Return it as it is."""
    return value


def flag(value: str) -> bool:
    """Read a boolean."""
    return value in {"t", "true"}


def time(value: str) -> datetime | None:
    """Read a time; one without a zone is in UTC. Infinity and times of no calendar are None."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.year >= _NEVER or found.year == 1:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def texts(value: str) -> list[str | None]:
    """Read an array of one dimension."""
    found: list[str | None] = []
    for quoted, bare in _ELEMENT.findall(value):
        if bare:
            found.append(None if bare.upper() == "NULL" else bare)
        else:
            found.append(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
    return found


def json(value: str) -> Any:
    """Read JSON; a document that is too large or too deep becomes a note of its size."""
    if len(value) > MAX_JSON_BYTES:
        return left_out(len(value.encode()))
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return left_out(len(value.encode()))


def jsons(value: str) -> list[Any]:
    """Read an array of JSON."""
    return [json(element) for element in texts(value) if element is not None]


def payload(value: str) -> Any:
    """Read bytes: as JSON if they are, else as base64. Notes of `left_out` come as JSON."""
    match = _BYTES.fullmatch(value)
    if not match:
        return json(value)
    data = bytes.fromhex(match[1])
    if len(data) > MAX_JSON_BYTES:
        return left_out(len(data))
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return base64.b64encode(data).decode()


def left_out(size: int) -> dict[str, str]:
    """Make the note that stands for a part that the ledger does not take."""
    return {"joblens": f"left out: {size} bytes"}
