"""The how-tos of those who operate Joblens, followed on a PostgreSQL of their own."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from db import embedded
from db.embedded import clusters
from tests.docs.pages import block, blocks, page
from tests.docs.shell import Shell, commands, sessions, shell

USE = page("docs/how-to/use-your-postgresql.md")
SIGN_IN = page("docs/how-to/sign-in.md")
IMPORT = page("docs/how-to/import-and-export.md")
OPERATE = page("docs/how-to/operate.md")
RETENTION = page("docs/how-to/keep-the-ledger-small.md")
pytestmark = pytest.mark.long

DOCUMENTED = "postgresql://joblens:password@{}.example.com/joblens"
MIXED = """\
{"type":"a","status":"queued","created_at":"2026-01-31T08:00:00Z"}
{"type":"b","status":"queued","created_at":"2026-01-31T08:00:00Z"}
{"type":"c","status":"done","created_at":"2026-01-31T08:00:00Z"}
{"type":"d","status":"queued","created_at":"2026-01-31T08:00:00"}
{"type":"e","status":"queued","created_at":"2026-01-31T08:00:00Z","colour":"red"}

nonsense
"""
# One that ended two months ago, and one that waits since then.
AGO = (datetime.now(UTC) - timedelta(days=60)).isoformat()
ENDED = f"""\
{{"type":"report.daily","status":"succeeded","created_at":"{AGO}","finished_at":"{AGO}"}}
{{"type":"report.daily","status":"queued","created_at":"{AGO}"}}
"""


class Servers:
    """The PostgreSQL servers of a reader who follows the docs."""

    def __init__(self) -> None:
        self._folders: list[Path] = []

    def start(self) -> str:
        """Start one, with no role but its superuser's; get the URL of that."""
        # A short path: the server puts its socket below it.
        folder = Path(tempfile.mkdtemp(prefix="joblens-"))
        self._folders.append(folder)
        clusters.create(folder / "postgres")
        return clusters.start(folder / "postgres").url("postgres")

    def stop(self) -> None:
        for folder in self._folders:
            clusters.stop(folder / "postgres")
            shutil.rmtree(folder)


@pytest.fixture
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    started.stop()


def as_login(superuser: str, login: str) -> str:
    parts = urlsplit(superuser)
    return urlunsplit(parts._replace(netloc=f"{login}:password@", path="/joblens"))


def psql(reader: Shell, url: str, sql: str) -> None:
    status, told = reader.run(f"psql --quiet --set ON_ERROR_STOP=1 '{url}' <<'SQL'\n{sql}SQL")
    assert (status, told) == (0, [])


@pytest.fixture
def superuser(servers: Servers) -> str:
    return servers.start()


@pytest.fixture
def reader(tmp_path: Path, superuser: str) -> Iterator[Shell]:
    """A reader who has prepared the roles and the database, and set JOBLENS_DATABASE_URL."""
    url = as_login(superuser, "joblens")
    with shell(tmp_path, **{DOCUMENTED.format("db"): url}) as opened:
        psql(opened, superuser, block(USE, "sql", "Prepare the roles and the database"))
        for each in blocks(USE, "sh"):
            assert opened.run(each) == (0, [])
        yield opened


def test_use_your_postgresql(reader: Shell, superuser: str) -> None:
    migrate, by_sql, doctor, _serve, refused, _curl = sessions(USE)
    reader.follow(migrate)
    ((command, shown),) = commands(doctor)
    status, told = reader.run(command)
    assert status == 0
    names = [_check(line) for line in shown if line.startswith("  ")]
    assert [_check(line) for line in told if line.startswith("  ")] == names
    assert ("weak", "login privileges") in names
    psql(reader, superuser, block(USE, "sql", "Which role does what"))
    reader.run(f"export JOBLENS_DATABASE_URL='{as_login(superuser, 'joblens_server')}'")
    ((command, shown),) = commands(refused)
    status, told = reader.run(command)
    assert status == 2, told
    assert told[0].partition(": the login ")[2] == shown[0].partition(": the login ")[2] != ""
    assert reader.run("joblens migrate --check")[0] == 0
    assert reader.run("joblens doctor")[0] == 0
    # The other way to the tables, for those who run SQL only.
    psql(reader, superuser, "DROP DATABASE joblens; CREATE DATABASE joblens OWNER joblens;\n")
    reader.run(f"export JOBLENS_DATABASE_URL='{as_login(superuser, 'joblens')}'")
    for command, _ in commands(by_sql):
        assert reader.run(command)[0] == 0
    assert reader.run("joblens migrate --check")[0] == 0


def _check(line: str) -> tuple[str, str]:
    """Get the mark and the name of a line of the doctor's."""
    mark, name = re.split(r" {2,}", line.strip())[:2]
    return mark, name


def test_sign_in(reader: Shell) -> None:
    reader.run("joblens migrate")
    made, listed, _curl, revoked = sessions(SIGN_IN)
    reader.follow(made)
    status, told = reader.run(next(commands(listed))[0])
    assert status == 0
    assert len([line for line in told if "(no name yet)" in line]) == 1
    reader.follow(listed)
    (adopted,) = re.findall(r"`(joblens org create 'Our jobs' --id [^`]+)`", SIGN_IN)
    assert reader.run(adopted)[0] == 0
    listing, revoking = (command for command, _ in commands(revoked))
    status, told = reader.run(listing)
    (token_id,) = [line.split()[0] for line in told if "mail-worker" in line]
    shown_id = revoking.split()[-1]
    assert reader.run(revoking.replace(shown_id, token_id)) == (0, [f"revoked {token_id}"])


def test_import_and_export(servers: Servers, reader: Shell, tmp_path: Path) -> None:
    first, packed, refused, again, _tuesday, exported, moved = sessions(IMPORT)
    (tmp_path / "history.ndjson").write_text("\n".join(next(commands(first))[1]) + "\n")
    (tmp_path / "mixed.ndjson").write_text(MIXED)
    for session in (first, packed, refused, again, exported):
        reader.follow(session)
    kept = (tmp_path / "rejected.ndjson").read_text().splitlines()
    assert kept == [line for line in MIXED.splitlines()[2:] if line]
    new = servers.start()
    psql(reader, new, block(USE, "sql", "Prepare the roles and the database"))
    reader.run(f"JOBLENS_DATABASE_URL='{as_login(new, 'joblens')}' joblens migrate")
    reader._replaced[DOCUMENTED.format("old")] = reader._replaced[DOCUMENTED.format("db")]
    reader._replaced[DOCUMENTED.format("new")] = as_login(new, "joblens")
    for command, _ in commands(moved):
        status, told = reader.run(command)
        assert status == 0, told
        assert "differ" not in "".join(told)
    assert reader.run("joblens export --org 'Our jobs' 2>/dev/null | wc -l") == (0, ["2"])


def test_back_up_and_restore(servers: Servers, reader: Shell, superuser: str) -> None:
    dump, restore = (each for each in sessions(OPERATE) if "pg_" in each)
    for command in (
        "joblens migrate",
        "joblens org create Acme",
        f"joblens import --org Acme - <<'END'\n{MIXED.splitlines()[0]}\nEND",
        "joblens token create --org Acme --role viewer --name me --expires 90d",
        *(command for command, _ in commands(dump)),
        "joblens export --org Acme > before",
    ):
        assert reader.run(command)[0] == 0
    other = servers.start()
    psql(reader, other, block(USE, "sql", "Prepare the roles and the database"))
    reader.run(f"export JOBLENS_DATABASE_URL='{as_login(other, 'joblens')}'")
    for command, _ in commands(restore):
        status, told = reader.run(command)
        assert status == 0, told
    assert reader.run("joblens export --org Acme 2>/dev/null | cmp - before") == (0, [])
    assert any("works" in line for line in reader.run("joblens token list")[1])


def test_keep_the_ledger_small(reader: Shell) -> None:
    for command in (
        "joblens migrate",
        "joblens org create Acme",
        f"joblens import --org Acme - <<'END'\n{ENDED}END",
    ):
        assert reader.run(command)[0] == 0
    policies, pruned = sessions(RETENTION)
    reader.follow(policies)
    reader.follow(pruned)
    # What is needed no more goes, and nothing else.
    assert reader.run("joblens export --org Acme 2>/dev/null | wc -l") == (0, ["1"])


def test_the_embedded_database_for_trying(tmp_path: Path) -> None:
    """The table of `install.md`: what is done with it by hand."""
    install = page("docs/how-to/install.md")
    started, asked, stopped = re.findall(
        r"psql \| `([^`]+)`, then `([^`]+)`, then `([^`]+)` \|", install
    )[0]
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    with shell(folder) as opened:
        assert opened.run("joblens migrate")[0] == 0
        assert opened.run(started)[0] == 0
        status, told = opened.run(f"{asked} --command 'SELECT count(*) FROM job'")
        assert status == 0
        assert told[2].strip() == "0"
        assert opened.run(stopped) == (0, ["stopped"])
    embedded.shutdown(folder / "data")
    shutil.rmtree(folder)
