"""The text of a token: `jl_`, then its organisation's id and 32 random bytes in base64url.

The token names its organisation, so that even looking it up happens in the scope of that one. A
forged name leads to where there is no such token.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

PREFIX = "jl_"
RANDOM_BYTES = 32

_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{64}}", re.ASCII)


def new_token(org_id: UUID) -> str:
    """Make a token of this organisation."""
    return PREFIX + urlsafe_b64encode(org_id.bytes + secrets.token_bytes(RANDOM_BYTES)).decode()


def org_of(token: str) -> UUID | None:
    """Read which organisation a token is of; None if it is no token."""
    if not _FORM.fullmatch(token):
        return None
    return UUID(bytes=urlsafe_b64decode(token.removeprefix(PREFIX))[:-RANDOM_BYTES])


def digest(token: str) -> bytes:
    """Get what is kept of a token. Fast, for there is nothing to guess in 32 random bytes."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
