"""Reads of `token`: by hash for requests, and lists for administrators."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import LargeBinary, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.filters import is_any
from db.queries.rows import AnyRow, read_all
from db.tables import org_table, token_table

TokenRow = AnyRow


async def load_tokens_by_hash(
    session: AsyncSession, org_id: UUID, hashes: Collection[bytes]
) -> Sequence[TokenRow]:
    """Load the organisation's tokens with these hashes, unordered, without revoked ones.

    The caller checks whether a token has expired.
    """
    token = token_table.c
    statement = select(
        token.hash, token.id, token.name, token.roles, token.expires_at, token.last_used_at
    ).where(
        token.org_id == org_id,
        is_any(token.hash, list(hashes), LargeBinary()),
        token.revoked_at.is_(None),
    )
    return await read_all(session, statement)


async def list_tokens(session: AsyncSession, org_id: UUID | None) -> Sequence[TokenRow]:
    """List the tokens of one organisation, or of all, with the organisation's name."""
    token, org = token_table.c, org_table.c
    statement = (
        select(*(column for column in token if column.name != "hash"), org.name.label("org_name"))
        .join_from(token_table, org_table, token.org_id == org.org_id)
        .order_by(org.name, token.org_id, token.created_at, token.id)
    )
    if org_id is not None:
        statement = statement.where(token.org_id == org_id)
    return await read_all(session, statement)
