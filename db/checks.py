"""Checks of a database and its login: what serving requires, and what could be more secure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from db import migrations
from db.connections import connect, owner_transaction
from db.engine import APP_ROLE
from db.restored_events import count_restored_orgs
from db.tables import metadata

VERSIONS = range(15, 19)
APPLICATION_NAME = "joblens check"
MIGRATE = "joblens migrate"
GRANTS = f"run the statements for {APP_ROLE} from `joblens migrate --sql`"
HIDDEN = "not visible to this login; run the check as the owner, too"
_TOKENS = """
SELECT count(*) AS all, count(*) FILTER (WHERE 'admin' = ANY(roles)) AS admin,
    count(*) FILTER (WHERE expires_at IS NULL) AS lasting,
    count(*) FILTER (WHERE expires_at IS NULL AND 'admin' = ANY(roles)) AS lasting_admin
FROM token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check, with the remedy if it is not `ok`.

    `is_advice`: Joblens works without the remedy, but less securely.
    """

    name: str
    ok: bool
    finding: str
    remedy: str = ""
    is_advice: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether Joblens cannot serve until this is corrected."""
        return not (self.ok or self.is_advice)


_STANDBY = Check(
    "standby",
    False,
    "only queries are answered; new events are found by polling",
    "set JOBLENS_DATABASE_URL to the primary",
    is_advice=True,
)


async def is_ledger_empty(url: str) -> bool:
    """Return whether no organisation has a job. `url` must name the owner of the tables."""
    connection = await connect(url, APPLICATION_NAME)
    try:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM job)")
    finally:
        await connection.close()


async def check_database(
    url: str, *, connections_wanted: int, connect_timeout_seconds: float
) -> AsyncIterator[Check]:
    """Yield the checks that serving requires, in the order in which to correct them.

    `connections_wanted`: the most connections that the settings allow. Read only. Raises asyncpg's
    errors, and OSError if the database is unreachable.
    """
    connection = await connect(url, APPLICATION_NAME, timeout_seconds=connect_timeout_seconds)
    try:
        yield await _version(connection)
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            yield _STANDBY
        yield await _connections(connection, connections_wanted)
        revision = await migrations.current(url)
        yield _migrated(revision)
        if revision is None:
            return
        async for check in _row_security_checks(connection):
            yield check
        yield await _indexes(connection)
    finally:
        await connection.close()


async def check_row_security(url: str) -> AsyncIterator[Check]:
    """Yield the checks that organisations are isolated from each other, in order of correction."""
    connection = await connect(url, APPLICATION_NAME)
    try:
        async for check in _row_security_checks(connection):
            yield check
    finally:
        await connection.close()


async def _row_security_checks(connection: Any) -> AsyncIterator[Check]:
    yield await _role(connection)
    login = await _login(connection)
    yield login
    for table in metadata.tables:
        check = await _row_security(connection, table)
        yield await _enforced(connection, table) if check.ok and login.ok else check


async def _version(connection: Any) -> Check:
    version = await connection.fetchval("SHOW server_version")
    ok = connection.get_server_version().major in VERSIONS
    remedy = f"use PostgreSQL {VERSIONS[0]} to {VERSIONS[-1]}"
    return Check("version", ok, f"PostgreSQL {version.split()[0]}", remedy)


async def _connections(connection: Any, wanted: int) -> Check:
    allowed = await connection.fetchval(
        "SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int"
    )
    finding = f"{allowed} allowed, at most {wanted} needed"
    remedy = "lower JOBLENS_POOL_SIZE, JOBLENS_POOL_OVERFLOW or JOBLENS_WORKERS"
    return Check("connections", wanted <= allowed, finding, f"{remedy}, or raise max_connections")


def _migrated(revision: str | None) -> Check:
    head = migrations.head()
    finding = "no Joblens tables" if revision is None else f"revision {revision}"
    return Check("migrations", revision == head, f"{finding}, head is {head}", MIGRATE)


async def _role(connection: Any) -> Check:
    role = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", APP_ROLE
    )
    if role is None:
        return Check("role", False, f"{APP_ROLE} is missing", GRANTS)
    bypasses = role["rolsuper"] or role["rolbypassrls"]
    finding = f"{APP_ROLE} is {'not ' if bypasses else ''}subject to row level security"
    return Check("role", not bypasses, finding, f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS")


async def _login(connection: Any) -> Check:
    login = await connection.fetchval("SELECT quote_ident(current_user)")
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
    except asyncpg.PostgresError as error:
        return Check("login", False, str(error), f"GRANT {APP_ROLE} TO {login}")
    return Check("login", True, f"{login} may SET ROLE {APP_ROLE}")


async def _row_security(connection: Any, table: str) -> Check:
    name = f"row security of {table}"
    row = await connection.fetchrow(
        "SELECT relrowsecurity AS enabled, pg_get_userbyid(relowner) = $2 AS owned, ARRAY("
        "  SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive AND"
        "  EXISTS ("
        "    SELECT FROM pg_roles WHERE rolname = $2 AND oid = ANY(polroles))) AS policies"
        " FROM pg_class WHERE oid = to_regclass($1)",
        table,
        APP_ROLE,
    )
    if row is None:
        return Check(name, False, "no such table", MIGRATE)
    if not row["enabled"]:
        return Check(name, False, "off", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    if row["owned"]:
        remedy = f"ALTER TABLE {table} OWNER TO another role"
        return Check(name, False, f"{APP_ROLE} owns the table and so bypasses it", remedy)
    policies = ", ".join(row["policies"]) or f"no policy for {APP_ROLE}"
    return Check(name, bool(row["policies"]), policies, GRANTS)


async def _enforced(connection: Any, table: str) -> Check:
    """Check that PostgreSQL applies the policy to the role of requests, and no other one."""
    name = f"row security of {table}"
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
        active = await connection.fetchval("SELECT row_security_active(to_regclass($1))", table)
        others = await connection.fetchval(
            "SELECT string_agg(polname, ', ') FROM pg_policy WHERE polrelid = to_regclass($1)"
            " AND polpermissive AND polname <> $2 AND EXISTS (SELECT FROM unnest(polroles) AS role"
            "  WHERE role = 0 OR pg_has_role(current_user, role, 'USAGE'))",
            table,
            f"{table}_organisation",
        )
    if not active:
        remedy = f"revoke the role of the table's owner from {APP_ROLE}"
        return Check(name, False, f"{APP_ROLE} bypasses it", remedy)
    if others is not None:
        # Permissive policies are combined with OR: another one would expose more rows.
        remedy = f"DROP POLICY … ON {table}, or make it restrictive"
        return Check(name, False, f"policies besides {table}_organisation: {others}", remedy)
    return Check(name, True, f"{table}_organisation")


async def _indexes(connection: Any) -> Check:
    rows = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index"
        " WHERE indrelid = ANY(SELECT to_regclass(name) FROM unnest($1::text[]) AS name)",
        list(metadata.tables),
    )
    wanted = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    missing = sorted(wanted - {row["name"] for row in rows})
    if missing:
        remedy = "create them as in `joblens migrate --sql`"
        return Check("indexes", False, f"missing: {', '.join(missing)}", remedy)
    invalid = sorted(row["name"] for row in rows if not row["valid"])
    remedy = "; ".join(f"REINDEX INDEX CONCURRENTLY {name}" for name in invalid)
    finding = f"invalid: {', '.join(invalid)}" if invalid else f"{len(rows)} valid"
    return Check("indexes", not invalid, finding, remedy)


async def check_login_privileges(url: str) -> Check:
    """Check that the login has no more privileges than serving needs."""
    connection = await connect(url, APPLICATION_NAME)
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
        "bypasses row level security": login["rolbypassrls"],
        "owns the tables": login["owns"],
    }
    finding = next((text for text, has_it in excess.items() if has_it), None)
    return Check(
        "login privileges",
        finding is None,
        f"{login['name']} {finding or 'has only the privileges that serving needs'}",
        "run joblens serve as a login IN ROLE joblens_app that owns nothing",
        is_advice=True,
    )


async def check_restored_events(url: str) -> Check:
    """Check for restored events, which make subscriptions compare times instead of transactions."""
    try:
        restored = await count_restored_orgs(url)
    except asyncpg.InsufficientPrivilegeError:
        return Check("restored events", True, HIDDEN, is_advice=True)
    return Check(
        "restored events",
        restored == 0,
        f"{restored} organisations have events with transaction ids of another server"
        if restored
        else "none with transaction ids of another server",
        "joblens migrate",
        is_advice=True,
    )


async def check_tokens(url: str) -> Check:
    """Check that all active tokens expire."""
    connection = await connect(url, APPLICATION_NAME)
    try:
        async with owner_transaction(connection):
            counts = await connection.fetchrow(_TOKENS)
    except asyncpg.InsufficientPrivilegeError:
        return Check("tokens", True, HIDDEN, is_advice=True)
    finally:
        await connection.close()
    return Check(
        "tokens",
        counts["lasting"] == 0,
        f"{counts['all']} active, {counts['admin']} of them ADMIN;"
        f" {counts['lasting']} never expire, {counts['lasting_admin']} of them ADMIN",
        "replace them: joblens token create --expires 90d, then joblens token revoke",
        is_advice=True,
    )
