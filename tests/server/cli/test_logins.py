"""What a command says to a login that may not do its work: in words, and which login may."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.server.cli.conftest import run
from tests.server.cli.test_doctor import as_login, execute
from tests.server.cli.test_main import commands

# The words of each command that works as the owner of the tables, by its name.
OWNERS = {
    "migrate": ["migrate"],
    "import": ["import", __file__],
    "export": ["export"],
    "org create": ["org", "create", "Acme"],
    "org list": ["org", "list"],
    "token create": ["token", "create", "--org", "Acme", "--role", "viewer", "--name", "me"],
    "token list": ["token", "list"],
    "retention set": ["retention", "set", "--keep", "1d"],
    "retention list": ["retention", "list"],
    "retention remove": ["retention", "remove", str(uuid4())],
    "mirror list": ["mirror", "list"],
    "mirror run": ["mirror", "run", "--once"],
    "mirror remove": ["mirror", "remove", "shop"],
    "token revoke": ["token", "revoke", str(uuid4())],
}
OTHERS = {
    *(
        "serve",
        "demo",
        "doctor",
        "schema",
        "org",
        "token",
        "retention",
        "db",
        "url",
        "start",
        "stop",
    ),
    "mirror",
    # These read the queue before the ledger.
    *("check", "add"),
    # As serve, it needs only the role.
    "tally",
    # Without Citus it ends before it needs a right.
    "distribute",
    "prune",
}
INTERNAL = ("row-level security", "sqlalchemy", "permission denied", "Traceback")


@pytest.fixture(params=["IN ROLE joblens_app", ""], ids=["for serving", "without any right"])
def login(
    request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A login other than the owner, whose URL the commands use."""
    name = f"joblens_test_{uuid4().hex}"
    execute(database_url, f"CREATE ROLE {name} LOGIN PASSWORD '{name}' {request.param}")
    monkeypatch.setenv("JOBLENS_DATABASE_URL", as_login(database_url, name))
    yield name
    execute(database_url, f"DROP ROLE {name}")


def test_every_command_is_among_them() -> None:
    named = {words.rpartition(" ")[2] for words in OWNERS}
    assert {command.name for command in commands()} == named | OTHERS


@pytest.mark.parametrize("words", OWNERS.values(), ids=OWNERS)
def test_another_login_than_the_owner(words: list[str], login: str) -> None:
    told = run(*words)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert f"the login {login} may not do this" in told.stderr
    assert "the login that owns the tables of Joblens, which is postgres" in told.stderr
    assert not [text for text in INTERNAL if text in told.stderr]
    assert len(told.stderr.splitlines()) == 1


def test_before_there_are_tables(
    unmigrated: str, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", as_login(unmigrated, login))
    told = run("migrate")
    assert told.exit_code == 2
    assert f"the login {login} may not do this" in told.stderr
    assert "the login that owns the database, which is postgres" in told.stderr


def test_serving_needs_a_right_too(login: str) -> None:
    told = run("doctor")
    if told.exit_code == 0:
        return  # the one that may serve
    assert f"the login {login} may not do this" in told.stdout
    served = run("serve", "--port", "0")
    assert served.exit_code == 2
    assert "a login in the role joblens_app" in served.stderr


def test_checking_a_migration_changes_nothing_and_needs_no_owner(
    database_url: str, login: str
) -> None:
    told = run("migrate", "--check")
    if told.exit_code == 0:
        assert "at head already" in told.stdout
        return
    assert f"the login {login} may not do this" in told.stderr
