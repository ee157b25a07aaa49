"""Reads and writes of `retention_policy`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnyRow, read_all
from db.retention.policies import Policy
from db.statuses import JobStatus
from db.tables import org_table, retention_policy_table

PolicyRow = AnyRow
_ORGS = text("SELECT retention_orgs()")
policy = retention_policy_table.c


async def set_policy(session: AsyncSession, org_id: UUID, wanted: Policy, now: datetime) -> Policy:
    """Create a policy, or change how long that of the same status and type keeps jobs.

    Returns it with the id that it has.
    """
    seconds = round(wanted.keep.total_seconds())
    statement = (
        insert(retention_policy_table)
        .values(
            org_id=org_id,
            id=wanted.id,
            status=wanted.status,
            type=wanted.type,
            keep_seconds=seconds,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=[policy.org_id, policy.status, policy.type],
            set_={"keep_seconds": seconds},
        )
        .returning(policy.id)
    )
    return replace(wanted, id=(await session.execute(statement)).scalar_one())


async def remove_policy(session: AsyncSession, policy_id: UUID) -> bool:
    """Remove a policy of any organisation; return false if it does not exist."""
    removed = delete(retention_policy_table).where(policy.id == policy_id).returning(policy.id)
    return (await session.execute(removed)).first() is not None


async def load_policies(session: AsyncSession, org_id: UUID) -> Sequence[Policy]:
    """Load the organisation's policies."""
    statement = select(policy.id, policy.status, policy.type, policy.keep_seconds).where(
        policy.org_id == org_id
    )
    return list(map(policy_of_row, await read_all(session, statement)))


async def list_policies(session: AsyncSession, org_id: UUID | None) -> Sequence[PolicyRow]:
    """List the policies of one organisation, or of all, with its name if it has one."""
    statement = (
        select(*policy, org_table.c.name.label("org_name"))
        .join_from(
            retention_policy_table, org_table, policy.org_id == org_table.c.org_id, isouter=True
        )
        .order_by(org_table.c.name, policy.org_id, policy.type, policy.status)
    )
    if org_id is not None:
        statement = statement.where(policy.org_id == org_id)
    return await read_all(session, statement)


async def list_orgs_with_policies(session: AsyncSession) -> Sequence[UUID]:
    """List the organisations that have policies, also under row level security."""
    return (await session.execute(_ORGS)).scalars().all()


def policy_of_row(row: PolicyRow) -> Policy:
    """Make the policy of a row."""
    status = None if row.status is None else JobStatus(row.status)
    return Policy(row.id, status, row.type, timedelta(seconds=row.keep_seconds))
