"""Reads of Alembic's version table."""

from sqlalchemy import Column, MetaData, String, Table, select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

_version_table = Table("alembic_version", MetaData(), Column("version_num", String))


async def get_revision(session: AsyncSession) -> str | None:
    """Get the database's revision; None before the first migration."""
    try:
        return (await session.execute(select(_version_table.c.version_num))).scalar_one_or_none()
    except ProgrammingError:
        return None
