"""Checks of a database with Citus; of others there is nothing to check."""

from collections.abc import AsyncIterator
from typing import Any

from db.checks import APPLICATION_NAME, Check
from db.connections import connect
from db.distribution import DISTRIBUTED, TABLES
from db.engine import APP_ROLE, HAS_CITUS

DISTRIBUTE = "joblens distribute"
_CAN_LOGIN = "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1"


async def check_distribution(url: str, *, pool_overflow: int) -> AsyncIterator[Check]:
    """Yield the checks of a database with Citus: its tables, its role, and the pool's setting."""
    connection = await connect(url, APPLICATION_NAME)
    try:
        if not await connection.fetchval(HAS_CITUS):
            return
        rows = {row["relname"]: row for row in await connection.fetch(DISTRIBUTED)}
        yield _tables(rows)
        if rows:
            yield _role(await connection.fetchval(_CAN_LOGIN, APP_ROLE))
            yield _overflow(pool_overflow)
    finally:
        await connection.close()


def _tables(rows: Any) -> Check:
    name = "distribution"
    known = [rows[table] for table in TABLES if table in rows]
    if not known:
        return Check(name, False, "no table is distributed", DISTRIBUTE, is_advice=True)
    missing = [table for table in TABLES if table not in rows]
    if missing:
        return Check(name, False, f"not distributed: {', '.join(missing)}", DISTRIBUTE)
    others = [row["relname"] for row in known if not row["by_organisation"]]
    if others:
        remedy = "undistribute_table() for each of them, then joblens distribute"
        return Check(name, False, f"not distributed by org_id: {', '.join(others)}", remedy)
    if len({row["colocation"] for row in known}) > 1:
        remedy = f"update_distributed_table_colocation() with {TABLES[0]} for each table"
        return Check(name, False, "tables are not colocated", remedy)
    return Check(name, True, f"{len(known)} tables by org_id, colocated")


def _role(can_login: bool | None) -> Check:
    finding = f"{APP_ROLE} may {'' if can_login else 'not '}log in on the workers"
    remedy = f"ALTER ROLE {APP_ROLE} LOGIN, and allow it in pg_hba.conf of each worker"
    return Check("login of workers", bool(can_login), finding, remedy)


def _overflow(connections: int) -> Check:
    finding = f"JOBLENS_POOL_OVERFLOW is {connections}"
    remedy = "JOBLENS_POOL_OVERFLOW=0 and a larger JOBLENS_POOL_SIZE: new connections are slow here"
    return Check("pool overflow", connections == 0, finding, remedy, is_advice=True)
