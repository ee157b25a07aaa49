"""`joblens migrate`."""

import asyncio

import asyncpg
import pytest

from db import migrations
from tests.server.cli.conftest import run


def test_it_brings_a_database_to_head_once(unmigrated: str) -> None:
    assert run("migrate", "--check").exit_code == 1
    told = run("migrate")
    assert told.exit_code == 0
    assert told.stdout == f"migrated the database from no revision to {migrations.head()}\n"
    assert run("migrate", "--check").exit_code == 0
    assert "at head already" in run("migrate").stdout


def test_checking_changes_nothing(unmigrated: str) -> None:
    told = run("migrate", "--check")
    assert told.exit_code == 1
    assert told.stderr == f"joblens: the database is at no revision, not {migrations.head()}\n"
    assert asyncio.run(migrations.current(unmigrated)) is None


def test_sql_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", "postgresql://127.0.0.1:1/away")
    told = run("migrate", "--sql")
    assert told.exit_code == 0
    assert "CREATE TABLE job (" in told.stdout


def test_sql_and_check_exclude_each_other() -> None:
    assert run("migrate", "--sql", "--check").exit_code == 2


def test_a_revision_from_the_future_is_told(unmigrated: str) -> None:
    async def go_ahead() -> None:
        connection = await asyncpg.connect(unmigrated)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    run("migrate")
    asyncio.run(go_ahead())
    told = run("migrate")
    assert told.exit_code == 2
    assert "a newer Joblens" in told.stderr
    assert "is at revision 9999" in run("export").stderr
