"""Runs a whole test run through PgBouncer: all that Joblens opens, and nothing that tests open.

Tests look at the database by connections of their own, with prepared statements and settings that
outlast transactions. Those go around PgBouncer.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from db.connections import POOLER, Pooler
from tests.support.pgbouncer import Bouncer, pgbouncer

# `make test-pgbouncer` sets it.
ASKED = "JOBLENS_TEST_PGBOUNCER"

_running: list[Bouncer] = []

if os.environ.get(ASKED):
    # Before any module makes the options of an engine.
    os.environ[POOLER] = Pooler.TRANSACTION


def through(url: str) -> str:
    """Return the URL by which Joblens reaches a database."""
    return _running[0].through(url) if _running else url


def around(url: str) -> str:
    """Return the URL by which PgBouncer does."""
    return _running[0].around(url) if _running else url


def settings_for(url: str) -> dict[str, str]:
    """Return the settings, without their prefix, of a Joblens that serves a database."""
    if not (_running and _running[0].is_named_by(url)):
        return {}
    return {"database_pooler": Pooler.TRANSACTION, "listen_url": around(url)}


@contextmanager
def pooled(cluster: str) -> Iterator[None]:
    """Have URLs of databases of this server go through PgBouncer, if that was asked for."""
    if not os.environ.get(ASKED):
        yield
        return
    connect = asyncpg.connect

    async def open_one(dsn: Any = None, **options: Any) -> Any:
        is_ours = "timezone" in options.get("server_settings", {})
        known = bouncer.is_named_by(dsn)
        return await connect(bouncer.around(dsn) if known and not is_ours else dsn, **options)

    with pgbouncer(cluster) as bouncer:
        _running.append(bouncer)
        asyncpg.connect = open_one
        try:
            yield
        finally:
            asyncpg.connect = connect
            _running.clear()
