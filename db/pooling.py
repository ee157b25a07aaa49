"""Finds what is between Joblens and PostgreSQL, and checks that the settings say the same."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from db.checks import APPLICATION_NAME, Check
from db.connections import POOLER, Pooler, connect

# Of a server connection, by two clients in this order: it differs for one of them, or is the same
# for both, if the pooler takes the one used last, or one after another.
_TURNS = (0, 1, 0, 0, 1, 1)
_NAME, _PROBE = "joblens_probe", "SELECT 'joblens probe'"
LISTEN_URL = "JOBLENS_LISTEN_URL"
DEAF = "a transaction pooler, through which no notification is heard: live updates wait for a poll"


@dataclass(frozen=True, slots=True)
class Found:
    """A pooler. `keeps_statements`: whether statements prepared by name outlast transactions."""

    pooler: Pooler
    keeps_statements: bool = True


async def find_pooler(url: str, *, timeout_seconds: float) -> Found:
    """Find what kind of pooler `url` leads to. Raises asyncpg's errors and OSError."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            client = await connect(
                url,
                APPLICATION_NAME,
                timeout_seconds=timeout_seconds,
                command_timeout_seconds=timeout_seconds,
            )
            # Not close(), which waits for a pooler that has no connection left.
            stack.callback(client.terminate)
            clients.append(client)
        pids: tuple[set[int], set[int]] = (set(), set())
        try:
            for turn in _TURNS:
                pids[turn].add(await clients[turn].fetchval("SELECT pg_backend_pid()"))
        except TimeoutError:
            # The first client keeps a pooler's only connection.
            return Found(Pooler.SESSION)
        if pids[0] & pids[1] or len(pids[0] | pids[1]) > len(clients):
            return Found(Pooler.TRANSACTION, await _keeps_statements(clients[0]))
        # A pooler gives its clients numbers of its own to cancel their statements by.
        is_direct = clients[0].get_server_pid() in pids[0]
    return Found(Pooler.NONE if is_direct else Pooler.SESSION)


async def _keeps_statements(client: Any) -> bool:
    """Return whether the pooler gives prepared statements names of its own, to prepare them again.

    It has to: clients may choose the same names.
    """
    async with client.transaction():
        await client.prepare(_PROBE, name=_NAME)
        names = await client.fetch(
            "SELECT name FROM pg_prepared_statements WHERE statement = $1", _PROBE
        )
        if any(row["name"] == _NAME for row in names):
            await client.execute(f"DEALLOCATE {_NAME}")
            return False
    return bool(names)


async def check_pooler(
    url: str, configured: Pooler, listen_url: str | None, *, timeout_seconds: float
) -> AsyncIterator[Check]:
    """Yield the checks that the settings name the pooler, and that notifications are heard."""
    found = await find_pooler(url, timeout_seconds=timeout_seconds)
    yield _named(found, configured)
    if listen_url is not None:
        found = await find_pooler(listen_url, timeout_seconds=timeout_seconds)
    yield Check(
        "notifications",
        found.pooler is not Pooler.TRANSACTION,
        DEAF
        if found.pooler is Pooler.TRANSACTION
        else f"by {'JOBLENS_DATABASE_URL' if listen_url is None else LISTEN_URL}",
        f"{LISTEN_URL}: the database's address without the pooler",
        is_advice=True,
    )


def _named(found: Found, configured: Pooler) -> Check:
    name, text = "pooler", f"{found.pooler}, {POOLER}={configured}"
    if found.pooler is not Pooler.TRANSACTION:
        # One that has been removed, or several that this check has not met.
        is_slower = configured is Pooler.TRANSACTION
        return Check(name, not is_slower, text, f"unset {POOLER}: it costs time", is_advice=True)
    if found.keeps_statements and configured is not Pooler.TRANSACTION:
        return Check(name, True, f"{text}; prepared statements are kept")
    is_right = configured is Pooler.TRANSACTION
    return Check(name, is_right, text, f"{POOLER}={Pooler.TRANSACTION}")
