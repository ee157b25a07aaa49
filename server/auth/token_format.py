"""The format of a token: `jl_`, then its organisation's id and 32 random bytes in base64url.

The token contains its organisation, so that even its lookup runs in that organisation's scope. With
a forged organisation, the lookup finds no such token.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

PREFIX = "jl_"
RANDOM_BYTES = 32

_FORMAT = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{64}}", re.ASCII)


def new_token(org_id: UUID) -> str:
    """Generate a token of this organisation."""
    return PREFIX + urlsafe_b64encode(org_id.bytes + secrets.token_bytes(RANDOM_BYTES)).decode()


def org_of(token: str) -> UUID | None:
    """Parse the organisation of a token; None if it is not a token."""
    if not _FORMAT.fullmatch(token):
        return None
    return UUID(bytes=urlsafe_b64decode(token.removeprefix(PREFIX))[:-RANDOM_BYTES])


def digest(token: str) -> bytes:
    """Hash a token for storage. A fast hash is enough: 32 random bytes cannot be guessed."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
