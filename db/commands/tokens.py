"""Writes of `token`: administrators create and revoke tokens, requests record their last use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, insert, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.ids import new_id
from db.queries.filters import is_any
from db.tables import token_table

# The last use is written at most this often.
LAST_USE_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to create; only its SHA-256 is stored."""

    hash: bytes
    name: str
    roles: list[str]
    expires_at: datetime | None


async def create_token(session: AsyncSession, org_id: UUID, token: NewToken, now: datetime) -> UUID:
    """Create a token and return its id. The organisation must exist."""
    token_id = new_id(now)
    await session.execute(
        insert(token_table).values(
            org_id=org_id,
            id=token_id,
            hash=token.hash,
            name=token.name,
            roles=token.roles,
            expires_at=token.expires_at,
            created_at=now,
        )
    )
    return token_id


async def revoke_token(session: AsyncSession, token_id: UUID, now: datetime) -> bool:
    """Revoke a token of any organisation; return false if it does not exist or was revoked."""
    token = token_table.c
    statement = (
        update(token_table)
        .where(token.id == token_id, token.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(token.id)
    )
    return (await session.execute(statement)).first() is not None


async def record_last_use(
    session: AsyncSession, org_id: UUID, hashes: Collection[bytes], now: datetime
) -> None:
    """Record that these tokens are in use, unless LAST_USE_INTERVAL has not passed yet."""
    token = token_table.c
    stale = or_(token.last_used_at.is_(None), token.last_used_at <= now - LAST_USE_INTERVAL)
    await session.execute(
        update(token_table)
        .where(token.org_id == org_id, is_any(token.hash, list(hashes), LargeBinary()), stale)
        .values(last_used_at=now)
    )
