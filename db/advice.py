"""What of a database works as it is, but could be safer: the login's rights, and tokens."""

from typing import Any

import asyncpg

from db.checks import Check
from db.restored_events import count_restored_orgs


async def check_rights(url: str) -> Check:
    """Look at how much the login may do beyond what serving needs."""
    connection: Any = await asyncpg.connect(url)
    try:
        login = await connection.fetchrow(
            "SELECT rolname AS name, rolsuper, rolbypassrls,"
            " EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('job')"
            "  AND pg_has_role(relowner, 'USAGE')) AS owns"
            " FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    excess = {
        "is a superuser": login["rolsuper"],
        "passes row level security by": login["rolbypassrls"],
        "owns the tables": login["owns"],
    }
    found = next((words for words, true in excess.items() if true), None)
    return Check(
        "rights of the login",
        found is None,
        f"{login['name']} {found or 'may do no more than serve'}",
        "give joblens serve a login IN ROLE joblens_app that owns nothing",
        is_advice=True,
    )


async def check_restored_events(url: str) -> Check:
    """Look for events of another server, by which subscriptions would have to go by times."""
    try:
        restored = await count_restored_orgs(url)
    except asyncpg.InsufficientPrivilegeError:
        found = "not to be seen by this login; ask as the owner, too"
        return Check("restored events", True, found, is_advice=True)
    return Check(
        "restored events",
        restored == 0,
        f"{restored} organisations have events that came from another server"
        if restored
        else "none that subscriptions could not tell from new ones",
        "joblens migrate",
        is_advice=True,
    )


async def check_tokens(url: str) -> Check:
    """Count the tokens that work, and among them those that do so for ever."""
    connection: Any = await asyncpg.connect(url)
    try:
        # A login that row level security binds gets an error, not a count of none.
        await connection.execute("SET row_security = off")
        counts = await connection.fetchrow(
            "SELECT count(*) AS all, count(*) FILTER (WHERE 'admin' = ANY(roles)) AS admin,"
            " count(*) FILTER (WHERE expires_at IS NULL) AS lasting,"
            " count(*) FILTER (WHERE expires_at IS NULL AND 'admin' = ANY(roles)) AS lasting_admin"
            " FROM token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
        )
    except asyncpg.InsufficientPrivilegeError:
        found = "not to be seen by this login; ask as the owner, too"
        return Check("tokens", True, found, is_advice=True)
    finally:
        await connection.close()
    return Check(
        "tokens",
        counts["lasting"] == 0,
        f"{counts['all']} work, {counts['admin']} of them ADMIN;"
        f" {counts['lasting']} never expire, {counts['lasting_admin']} of them ADMIN",
        "joblens token create --expires 90d in their place, then joblens token revoke",
        is_advice=True,
    )
