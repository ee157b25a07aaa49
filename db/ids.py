"""UUIDv7 ids, so that new rows are appended at the end of their indexes."""

import secrets
from datetime import datetime
from uuid import UUID


def new_id(now: datetime) -> UUID:
    """Create a UUIDv7 (RFC 9562, section 5.7): milliseconds of `now`, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    version, variant = 0x7 << 76, 0b10 << 62
    random = secrets.randbits(74)
    return UUID(
        int=milliseconds << 80 | version | (random >> 62) << 64 | variant | random & ~(~0 << 62)
    )
