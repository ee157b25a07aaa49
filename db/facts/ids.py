"""The ids of jobs of a source: made of what the source calls them, without a table to look up."""

import re
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
# A UUID of version 8 (RFC 9562): 48 bits of the source, the version, 12 bits, the variant, 62 bits.
_VERSION = 0x8 << 76
_VARIANT = 0b10 << 62
_NUMBERS = 1 << 62


def canonical(external_id: str) -> str:
    """Return the one way to write it: the same UUID may be written in several."""
    return str(UUID(external_id)) if _UUID.fullmatch(external_id) else external_id


def job_id_of(source: str, external_id: str) -> UUID:
    """Return the id of a job of the source with this name.

    A UUID is kept. A number below 2^62 is the end of the id, in order, so that new jobs of a source
    are at one end of the index. Of any other text 74 bits of its hash are used.
    """
    if _UUID.fullmatch(external_id):
        return UUID(external_id)
    if _NUMBER.fullmatch(external_id) and int(external_id) < _NUMBERS:
        return _made(source, 0, int(external_id))
    return hashed_id_of(source, external_id)


def hashed_id_of(source: str, external_id: str) -> UUID:
    """Return the id of a job whose `job_id_of` belongs to another job already."""
    found = int.from_bytes(sha256(external_id.encode()).digest())
    return _made(source, (found >> 62) % (1 << 12) or 1, found % _NUMBERS)


def _made(source: str, middle: int, number: int) -> UUID:
    return UUID(int=_start(source) | _VERSION | middle << 64 | _VARIANT | number)


@lru_cache(maxsize=1_000)
def _start(source: str) -> int:
    return int.from_bytes(sha256(source.encode()).digest()[:6]) << 80
