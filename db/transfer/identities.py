"""Deterministic ids for records without an id, so that repeated imports give the same ids."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from db.json_values import dumps
from db.transfer.json_text import RecordError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def content_digest(org_id: UUID, record: Mapping[str, Any]) -> bytes:
    """Return the 16-byte digest of a record's content in an organisation.

    The order of keys, whitespace and null fields make no difference. Raises RecordError if the
    record is nested too deeply.
    """
    content = {key: value for key, value in record.items() if value is not None}
    try:
        text = dumps(content, orjson.OPT_SORT_KEYS)
    except TypeError:
        raise RecordError("the JSON is nested too deeply") from None
    return blake2b(text, digest_size=16, salt=org_id.bytes).digest()


def content_id(digest: bytes, created_at: datetime, occurrence: int) -> UUID:
    """Return the id of the `occurrence`th record (from 0) with this content.

    It has the layout of a UUIDv7, with hash bits instead of random ones, and so sorts by
    `created_at`.
    """
    milliseconds = max(0, (created_at - _EPOCH) // timedelta(milliseconds=1))
    hashed = blake2b(digest + occurrence.to_bytes(8, "big"), digest_size=10).digest()
    bits = milliseconds << 80 | int.from_bytes(hashed, "big")
    version, variant = 0x7 << 76, 0b10 << 62
    return UUID(int=bits & ~(0xF << 76) & ~(0b11 << 62) | version | variant)
