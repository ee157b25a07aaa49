"""What must be true of a database before Joblens can serve from it, each with what mends it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from db import migrations
from db.engine import APP_ROLE
from db.tables import metadata

VERSIONS = range(15, 19)
MIGRATE = "joblens migrate"
GRANTS = f"run what `joblens migrate --sql` says of {APP_ROLE}"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found there, and what to do unless it is `ok`.

    `is_advice`: it works as it is, but could be safer.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    is_advice: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether Joblens cannot serve like this."""
        return not (self.ok or self.is_advice)


async def is_ledger_empty(url: str) -> bool:
    """Tell whether no organisation has a job. Asks as the owner, whom row security lets see all."""
    connection = await asyncpg.connect(url)
    try:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM job)")
    finally:
        await connection.close()


async def check_database(
    url: str, *, connections_wanted: int, connect_timeout_seconds: float
) -> AsyncIterator[Check]:
    """Yield the checks of the database at `url`, in the order in which to mend them.

    `connections_wanted`: how many the settings may open. Changes nothing. Raises asyncpg's errors
    and OSError where the database cannot be reached.
    """
    connection: Any = await asyncpg.connect(url, timeout=connect_timeout_seconds)
    try:
        yield await _version(connection)
        yield await _room(connection, connections_wanted)
        revision = await migrations.current(url)
        yield _at_head(revision)
        if revision is None:
            return
        async for check in _binding(connection):
            yield check
        yield await _indexes(connection)
    finally:
        await connection.close()


async def check_row_security(url: str) -> AsyncIterator[Check]:
    """Yield the checks of what keeps organisations apart, as `check_database` does."""
    connection: Any = await asyncpg.connect(url)
    try:
        async for check in _binding(connection):
            yield check
    finally:
        await connection.close()


async def _binding(connection: Any) -> AsyncIterator[Check]:
    yield await _role(connection)
    login = await _login(connection)
    yield login
    for table in metadata.tables:
        check = await _row_security(connection, table)
        yield await _in_force(connection, table) if check.ok and login.ok else check


async def _version(connection: Any) -> Check:
    version = await connection.fetchval("SHOW server_version")
    ok = connection.get_server_version().major in VERSIONS
    remedy = f"use PostgreSQL {VERSIONS[0]} to {VERSIONS[-1]}"
    return Check("version", ok, f"PostgreSQL {version.split()[0]}", remedy)


async def _room(connection: Any, wanted: int) -> Check:
    room = await connection.fetchval(
        "SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int"
    )
    found = f"{room} allowed, {wanted} wanted at most"
    remedy = "lower JOBLENS_POOL_SIZE, JOBLENS_POOL_OVERFLOW or JOBLENS_WORKERS"
    return Check("connections", wanted <= room, found, f"{remedy}, or raise max_connections")


def _at_head(revision: str | None) -> Check:
    head = migrations.head()
    found = "no tables of Joblens" if revision is None else f"revision {revision}"
    return Check("migrations", revision == head, f"{found}, head is {head}", MIGRATE)


async def _role(connection: Any) -> Check:
    role = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", APP_ROLE
    )
    if role is None:
        return Check("role", False, f"{APP_ROLE} is missing", GRANTS)
    unbound = role["rolsuper"] or role["rolbypassrls"]
    found = f"{APP_ROLE} is {'not ' if unbound else ''}bound by row level security"
    return Check("role", not unbound, found, f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS")


async def _login(connection: Any) -> Check:
    login = await connection.fetchval("SELECT quote_ident(current_user)")
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
    except asyncpg.PostgresError as error:
        return Check("login", False, str(error), f"GRANT {APP_ROLE} TO {login}")
    return Check("login", True, f"{login} may work as {APP_ROLE}")


async def _row_security(connection: Any, table: str) -> Check:
    name = f"row security of {table}"
    found = await connection.fetchrow(
        "SELECT relrowsecurity AS enabled, pg_get_userbyid(relowner) = $2 AS owned, ARRAY("
        "  SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid AND EXISTS ("
        "    SELECT FROM pg_roles WHERE rolname = $2 AND oid = ANY(polroles))) AS policies"
        " FROM pg_class WHERE oid = to_regclass($1)",
        table,
        APP_ROLE,
    )
    if found is None:
        return Check(name, False, "no such table", MIGRATE)
    if not found["enabled"]:
        return Check(name, False, "off", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    if found["owned"]:
        remedy = f"ALTER TABLE {table} OWNER TO another role"
        return Check(name, False, f"{APP_ROLE} owns the table and passes it by", remedy)
    policies = ", ".join(found["policies"]) or f"no policy for {APP_ROLE}"
    return Check(name, bool(found["policies"]), policies, GRANTS)


async def _in_force(connection: Any, table: str) -> Check:
    """Ask PostgreSQL itself, as a request's statements would be asked."""
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
        remedy = f"let {APP_ROLE} be no member of the table's owner"
        return Check(name, False, f"{APP_ROLE} passes it by", remedy)
    if others is not None:
        # Of permissive policies, any one is enough to let a row through.
        remedy = f"DROP POLICY … ON {table}, or make it restrictive"
        return Check(name, False, f"others besides {table}_organisation: {others}", remedy)
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
        remedy = "make them as `joblens migrate --sql` does"
        return Check("indexes", False, f"missing: {', '.join(missing)}", remedy)
    invalid = sorted(row["name"] for row in rows if not row["valid"])
    remedy = "; ".join(f"REINDEX INDEX CONCURRENTLY {name}" for name in invalid)
    found = f"invalid: {', '.join(invalid)}" if invalid else f"{len(rows)} valid"
    return Check("indexes", not invalid, found, remedy)
