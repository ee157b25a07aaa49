"""`joblens doctor`, on a healthy database and on one with each ailment."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from db.search_owner import FUNCTIONS
from server.cli.hardening import check_hardening
from server.settings import Settings
from tests.server.cli.conftest import run
from tests.server.http.built import build


def execute(url: str, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def wrong(output: str) -> list[str]:
    return marked("wrong", output)


def marked(mark: str, output: str) -> list[str]:
    return [line.strip() for line in output.splitlines() if line.strip().startswith(mark)]


def as_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{login}:{login}@{host}"))


def test_a_healthy_database(ledger: str) -> None:
    told = run("doctor")
    assert wrong(told.stdout) == []
    assert told.exit_code == 0
    for name in ("settings", "database", "version", "migrations", "role", "login", "indexes"):
        assert f" {name} " in told.stdout


def test_searches_of_another_role(ledger: str) -> None:
    execute(ledger, f"ALTER FUNCTION {FUNCTIONS[1]} OWNER TO CURRENT_USER")
    told = run("doctor")
    assert told.exit_code == 0
    (weak,) = [line for line in marked("weak", told.stdout) if " search " in line]
    execute(ledger, weak.partition("as a superuser: ")[2])
    assert not any(" search " in line for line in marked("weak", run("doctor").stdout))


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
        ("JOBLENS_PAGE_SIZE_DEFAULT", "5000", "JOBLENS_PAGE_SIZE_DEFAULT is greater than"),
        ("JOBLENS_POOL_SIZE", "1000", "at most 1014 needed"),
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
        ("DROP TABLE alembic_version", "no Joblens tables", "joblens migrate"),
        ("DROP TABLE job_event", "no such table", "joblens migrate"),
        ("ALTER TABLE job DISABLE ROW LEVEL SECURITY", "off", "ENABLE ROW LEVEL SECURITY"),
        ("DROP POLICY job_organisation ON job", "no policy", "joblens migrate --sql"),
        ("ALTER TABLE job OWNER TO joblens_app", "owns the table", "OWNER TO"),
        (
            "CREATE POLICY more ON job_event USING (true)",
            "policies besides job_event_organisation: more",
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


@contextmanager
def login_without_role(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Set `JOBLENS_DATABASE_URL` to a login that is not a member of `joblens_app`; get its name."""
    login = f"joblens_test_{uuid4().hex}"
    execute(
        url,
        f"CREATE ROLE {login} LOGIN PASSWORD '{login}'",
        f"GRANT SELECT ON alembic_version TO {login}",
    )
    monkeypatch.setenv("JOBLENS_DATABASE_URL", as_login(url, login))
    try:
        yield login
    finally:
        execute(url, f"DROP OWNED BY {login}", f"DROP ROLE {login}")


def test_a_login_that_may_not_work_as_the_role(
    unmigrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("migrate")
    with login_without_role(unmigrated, monkeypatch) as login:
        told = run("doctor")
    assert told.exit_code == 1
    assert f"GRANT joblens_app TO {login}" in wrong(told.stdout)[0]


JWT = {
    "JOBLENS_AUTH": "jwt",
    "JOBLENS_JWT_ISSUER": "https://login.example.com",
    "JOBLENS_JWT_AUDIENCE": "joblens",
}
REMOTE = "postgresql://me:geheim@db.example.com/jobs"


@pytest.mark.parametrize(
    ("variables", "name", "found"),
    [
        (
            {"JOBLENS_AUTH": "none", "JOBLENS_HOSTS": "jobs.example.com"},
            "sign-in",
            "no authentication",
        ),
        ({}, "documents", "with graphiql and introspection"),
        ({"JOBLENS_GRAPHIQL": "false"}, "documents", "with introspection"),
        ({"JOBLENS_RATE_POINTS_PER_MINUTE": "0"}, "rates", "no limit"),
        ({"JOBLENS_WORKERS": "4"}, "rates", "each of 4 processes"),
        (
            {**JWT, "JOBLENS_JWT_JWKS": "http://localhost/keys"},
            "transport of the keys",
            "plain HTTP",
        ),
        ({"JOBLENS_DATABASE_URL": REMOTE}, "transport to the database", "without TLS"),
        ({"JOBLENS_DATABASE_URL": f"{REMOTE}?sslmode=prefer"}, "transport to the database", "TLS"),
        (
            {"JOBLENS_DATABASE_URL": "postgresql:///jobs?host=/run,db"},
            "transport to the database",
            "TLS",
        ),
        (
            {"JOBLENS_DATABASE_URL": "postgresql:///jobs", "PGHOST": "db"},
            "transport to the database",
            "TLS",
        ),
        ({"JOBLENS_AUTH": "none", "JOBLENS_PROXIES": "127.0.0.1"}, "sign-in", "no authentication"),
        ({"JOBLENS_AUDIT_LOG": "false"}, "audit log", "not recorded"),
        ({"JOBLENS_REDACT_KEYS": "*password*"}, "secrets in jobs", "token, secret,"),
        ({"JOBLENS_REDACT_EXCEPT": "a, *token"}, "secrets in jobs", "under token are shown"),
    ],
)
def test_weak_settings(variables: dict[str, str], name: str, found: str) -> None:
    ours = {name: value for name, value in variables.items() if name.startswith("JOBLENS_")}
    checks = {check.name: check for check in check_hardening(Settings.read(ours), variables)}
    assert not checks[name].ok
    assert not checks[name].is_wrong
    assert found in checks[name].finding
    assert checks[name].remedy
    assert not any("geheim" in check.finding + check.remedy for check in checks.values())


@pytest.mark.parametrize(
    "variables",
    [
        {"JOBLENS_AUTH": "none"},
        {"JOBLENS_GRAPHIQL": "false", "JOBLENS_INTROSPECTION": "false"},
        {
            "JOBLENS_DOCUMENTS": "only",
            "JOBLENS_DOCUMENTS_DIR": "/etc/joblens",
            "JOBLENS_WORKERS": "4",
            "JOBLENS_REDIS_URL": "redis://localhost",
            "JOBLENS_DATABASE_URL": f"{REMOTE}?sslmode=verify-full",
        },
        {
            **JWT,
            "JOBLENS_JWT_JWKS": "https://login.example.com/keys",
            "JOBLENS_GRAPHIQL": "false",
            "JOBLENS_INTROSPECTION": "false",
            "JOBLENS_DATABASE_URL": REMOTE,
            "PGSSLMODE": "require",
        },
        {
            "JOBLENS_AUTH": "none",
            "JOBLENS_DATABASE_URL": "postgresql://me@[::1]:5433,localhost/jobs",
        },
        {"JOBLENS_AUTH": "none", "JOBLENS_DATABASE_URL": "postgresql://me@/jobs?host=%2Frun"},
    ],
)
def test_strong_settings(variables: dict[str, str], tmp_path: Path) -> None:
    ours = {name: value for name, value in variables.items() if name.startswith("JOBLENS_")}
    checks = check_hardening(Settings.read(ours), variables, build(tmp_path))
    assert [check.name for check in checks if not check.ok] == []


@pytest.mark.parametrize(
    ("settings", "is_built", "ok", "found"),
    [
        ({}, True, True, "at /"),
        ({}, False, False, "not built"),
        ({"JOBLENS_DASHBOARD": "false"}, True, True, "off"),
        ({"JOBLENS_DASHBOARD": "false"}, False, True, "off"),
    ],
    ids=str,
)
def test_the_dashboard(
    tmp_path: Path, settings: dict[str, str], is_built: bool, ok: bool, found: str
) -> None:
    folder = build(tmp_path) if is_built else tmp_path
    checks = check_hardening(Settings.read(settings), {}, folder)
    (check,) = [check for check in checks if check.name == "dashboard"]
    assert (check.ok, check.is_wrong) == (ok, False)
    assert found in check.finding
    assert ok or "JOBLENS_DASHBOARD=false" in check.remedy


@pytest.mark.parametrize(("dashboard", "is_named"), [("true", True), ("false", False)])
def test_whose_documents_run(tmp_path: Path, dashboard: str, is_named: bool) -> None:
    settings = {
        "JOBLENS_DOCUMENTS": "only",
        "JOBLENS_DOCUMENTS_DIR": "/etc/joblens",
        "JOBLENS_DASHBOARD": dashboard,
    }
    checks = check_hardening(Settings.read(settings), {}, build(tmp_path))
    (check,) = [check for check in checks if check.name == "documents"]
    assert check.ok
    assert ("the dashboard's" in check.finding) == is_named


def test_what_is_weak_is_not_wrong(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBLENS_RATE_POINTS_PER_MINUTE", "0")
    told = run("doctor")
    assert told.exit_code == 0
    assert any("no limit" in line and "unset" in line for line in marked("weak", told.stdout))


def test_the_rights_of_the_login(unmigrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate")
    assert any("is a superuser" in line for line in marked("weak", run("doctor").stdout))
    login = f"joblens_test_{uuid4().hex}"
    execute(unmigrated, f"CREATE ROLE {login} LOGIN PASSWORD '{login}' IN ROLE joblens_app")
    monkeypatch.setenv("JOBLENS_DATABASE_URL", as_login(unmigrated, login))
    try:
        told = run("doctor")
        assert told.exit_code == 0
        assert f"{login} has only the privileges that serving needs" in told.stdout
        assert "not visible to this login" in told.stdout
        execute(unmigrated, f"ALTER TABLE job OWNER TO {login}")
        assert any(f"{login} owns the tables" in x for x in marked("weak", run("doctor").stdout))
        execute(unmigrated, "ALTER TABLE job OWNER TO CURRENT_USER")
        execute(unmigrated, f"ALTER ROLE {login} BYPASSRLS")
        assert any("bypasses row level security" in x for x in marked("weak", run("doctor").stdout))
    finally:
        execute(unmigrated, f"DROP ROLE {login}")


def test_tokens_are_counted(unmigrated: str) -> None:
    run("migrate")
    assert "0 active" in run("doctor").stdout
    run("org", "create", "Acme")
    create = ("token", "create", "--org", "Acme", "--name", "me")
    run(*create, "--role", "admin", "--expires", "90d")
    assert [line for line in marked("weak", run("doctor").stdout) if " tokens " in line] == []
    run(*create, "--role", "admin")
    run(*create, "--role", "viewer")
    execute(
        unmigrated,
        "INSERT INTO token (org_id, id, hash, name, roles, expires_at, revoked_at)"
        " SELECT org_id, gen_random_uuid(), sha256(n::text::bytea), 'gone', '{admin}',"
        " CASE n WHEN 1 THEN now() END, CASE n WHEN 2 THEN now() END"
        " FROM org, generate_series(1, 2) AS n",
    )
    found = [line for line in marked("weak", run("doctor").stdout) if " tokens " in line]
    assert len(found) == 1
    assert "3 active, 2 of them ADMIN; 2 never expire, 1 of them ADMIN" in found[0]
