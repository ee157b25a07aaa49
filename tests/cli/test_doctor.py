"""`joblens doctor`, on a healthy database and on one with each ailment."""

import asyncio
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from tests.cli.conftest import run


def execute(url: str, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def wrong(output: str) -> list[str]:
    return [line.strip() for line in output.splitlines() if line.strip().startswith("wrong")]


def test_a_healthy_database(ledger: str) -> None:
    told = run("doctor")
    assert wrong(told.stdout) == []
    assert told.exit_code == 0
    for name in ("settings", "database", "version", "migrations", "role", "login", "indexes"):
        assert f" {name} " in told.stdout


def test_no_database_yet() -> None:
    told = run("doctor")
    assert told.exit_code == 1
    assert "joblens migrate" in wrong(told.stdout)[0]


def test_an_embedded_database() -> None:
    run("migrate")
    assert run("doctor").exit_code == 0


def test_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", "postgresql://me:geheim@127.0.0.1:1/jobs")
    told = run("doctor")
    assert told.exit_code == 1
    assert "geheim" not in told.stdout
    assert "start it, or correct JOBLENS_DATABASE_URL" in wrong(told.stdout)[0]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("JOBLENS_PROT", "8000", "unknown setting: JOBLENS_PROT"),
        ("JOBLENS_PAGE_SIZE_DEFAULT", "5000", "JOBLENS_PAGE_SIZE_DEFAULT is above"),
        ("JOBLENS_POOL_SIZE", "1000", "1010 wanted at most"),
    ],
)
def test_settings(
    ledger: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, found: str
) -> None:
    monkeypatch.setenv(name, value)
    told = run("doctor")
    assert told.exit_code == 1
    assert [found in line for line in wrong(told.stdout)] == [True]


@pytest.mark.parametrize(
    ("harm", "found", "remedy"),
    [
        ("DROP TABLE alembic_version", "no tables of Joblens", "joblens migrate"),
        ("DROP TABLE job_event", "no such table", "joblens migrate"),
        ("ALTER TABLE job DISABLE ROW LEVEL SECURITY", "off", "ENABLE ROW LEVEL SECURITY"),
        ("DROP POLICY job_organisation ON job", "no policy", "joblens migrate --sql"),
        ("ALTER TABLE job OWNER TO joblens_app", "owns the table", "OWNER TO"),
        (
            "CREATE POLICY more ON job_event USING (true)",
            "others besides job_event_organisation: more",
            "DROP POLICY",
        ),
        ("ALTER TABLE token DISABLE ROW LEVEL SECURITY", "off", "ENABLE ROW LEVEL SECURITY"),
        ("DROP INDEX idx_job_org_status", "missing: idx_job_org_status", "joblens migrate --sql"),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pk_job'::regclass",
            "invalid: pk_job",
            "REINDEX INDEX CONCURRENTLY pk_job",
        ),
    ],
)
def test_ailments_and_their_remedies(unmigrated: str, harm: str, found: str, remedy: str) -> None:
    run("migrate")
    execute(unmigrated, harm)
    told = run("doctor")
    assert told.exit_code == 1
    assert found in wrong(told.stdout)[0]
    assert remedy in wrong(told.stdout)[0]


def test_a_login_that_may_not_work_as_the_role(
    unmigrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("migrate")
    login = f"joblens_test_{uuid4().hex}"
    execute(
        unmigrated,
        f"CREATE ROLE {login} LOGIN PASSWORD '{login}'",
        f"GRANT SELECT ON alembic_version TO {login}",
    )
    parts = urlsplit(unmigrated)
    host = parts.netloc.rpartition("@")[2]
    as_login = urlunsplit(parts._replace(netloc=f"{login}:{login}@{host}"))
    monkeypatch.setenv("JOBLENS_DATABASE_URL", as_login)
    try:
        told = run("doctor")
        assert told.exit_code == 1
        assert f"GRANT joblens_app TO {login}" in wrong(told.stdout)[0]
    finally:
        execute(unmigrated, f"DROP OWNED BY {login}", f"DROP ROLE {login}")
