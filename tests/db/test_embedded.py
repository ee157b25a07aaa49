"""The embedded PostgreSQL, with real processes that share it, crash and race for it."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from db import embedded
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_SECONDS

# A process that uses the server: it says the URL, waits for its standard input to end, and ends.
USER = """
import sys
import tempfile
from pathlib import Path
from db import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
"""
User = subprocess.Popen[str]
BeginUser = Callable[..., User]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Where sockets go whose path would be too long: nothing stays there.
    sockets = tempfile.mkdtemp(prefix="jl-")
    monkeypatch.setenv("TMPDIR", sockets)
    monkeypatch.setattr(tempfile, "tempdir", None)
    path = tmp_path / "missing" / "parents" / "a b's"
    yield path
    embedded.shutdown(path)
    Path(sockets).rmdir()


@pytest.fixture
def begin_user(data_dir: Path) -> Iterator[BeginUser]:
    """Starts processes that use the server; those still there at the end are killed."""
    users: list[User] = []

    def begin(code: str = USER) -> User:
        command = [sys.executable, "-W", "error", "-c", code, str(data_dir)]
        pipe = subprocess.PIPE
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        users.append(
            subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                text=True,
                env=environment,
                start_new_session=True,
            )
        )
        return users[-1]

    yield begin
    for user in users:
        user.kill()
        user.communicate()


def url_of(user: User) -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


def end(user: User) -> None:
    _, errors = user.communicate(timeout=PATIENCE_SECONDS)
    assert (user.returncode, errors) == (0, "")


@contextmanager
def used(data_dir: Path) -> Iterator[str]:
    server = embedded.start(data_dir)
    try:
        yield server.url
    finally:
        server.stop()


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


async def test_data_survives_a_restart(data_dir: Path) -> None:
    with used(data_dir) as url:
        assert await ask(url, "SELECT current_database()") == "joblens"
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert embedded.find(data_dir) is None
    with used(data_dir) as url:
        assert await ask(url, "SELECT answer FROM kept") == 42


def test_finding_starts_nothing_and_joins_nothing(data_dir: Path) -> None:
    assert embedded.find(data_dir) is None
    assert not embedded.shutdown(data_dir)
    assert not data_dir.exists()
    with used(data_dir) as url:
        assert embedded.find(data_dir) == url
    assert embedded.find(data_dir) is None


def test_leaving_twice_is_leaving_once(data_dir: Path) -> None:
    first, second = embedded.start(data_dir), embedded.start(data_dir)
    first.stop()
    first.stop()
    assert embedded.find(data_dir) == second.url
    second.stop()
    assert embedded.find(data_dir) is None


def test_the_last_process_to_leave_stops_it(data_dir: Path, begin_user: BeginUser) -> None:
    first, second = begin_user(), begin_user()
    # Both at the same moment, with the cluster still to be made.
    assert url_of(first) == url_of(second) == embedded.find(data_dir)
    end(first)
    assert embedded.find(data_dir) is not None
    end(second)
    assert embedded.find(data_dir) is None


def test_a_killed_process_does_not_count(data_dir: Path, begin_user: BeginUser) -> None:
    user = begin_user()
    url = url_of(user)
    user.kill()
    user.wait()
    with used(data_dir) as joined:
        assert joined == url
    assert embedded.find(data_dir) is None


async def test_it_starts_again_after_a_crash(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    with used(data_dir) as url:
        assert await ask(url, "SELECT answer FROM kept") == 42
    # The crashed server's user leaves late, and is the last.
    server.stop()
    assert embedded.find(data_dir) is None


def test_a_crashed_servers_process_id_may_be_anothers_by_now(
    data_dir: Path, begin_user: BeginUser
) -> None:
    with used(data_dir):
        pid_file = data_dir / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    owner = pid_file.parent.stat()
    bystander = begin_user("import sys; print(flush=True); sys.stdin.read()")
    url_of(bystander)
    pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    os.chown(pid_file, owner.st_uid, owner.st_gid)

    assert embedded.find(data_dir) is None
    assert not embedded.shutdown(data_dir)
    with used(data_dir) as url:
        assert embedded.find(data_dir) == url
    end(bystander)


async def test_the_terminals_interrupt_does_not_reach_it(
    data_dir: Path, begin_user: BeginUser
) -> None:
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    user = begin_user(deaf + USER)
    url = url_of(user)
    assert os.getsid(postmaster_pid(data_dir)) != user.pid
    os.killpg(user.pid, signal.SIGINT)
    assert await ask(url, "SELECT 1") == 1
    end(user)


async def test_kept_running_it_outlasts_its_users(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    server.keep_running()
    server.stop()
    with used(data_dir) as url:
        assert url == server.url
    assert embedded.find(data_dir) == url
    assert embedded.shutdown(data_dir)
    assert embedded.find(data_dir) is None
    assert not embedded.shutdown(data_dir)


def test_keeping_one_run_says_nothing_of_the_next(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    server.keep_running()
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    server.stop()
    with used(data_dir):
        pass
    assert embedded.find(data_dir) is None


def test_a_long_path_gets_a_private_folder_for_its_socket(tmp_path: Path) -> None:
    with used(tmp_path / ("long" * 40)) as url:
        host = parse_qs(urlsplit(url).query)["host"][0]
        assert stat.S_IMODE(Path(host).stat().st_mode) == 0o700
    assert not Path(host).exists()


async def test_variables_for_other_servers_do_not_matter(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGDATABASE", "PGUSER", "PGHOST", "PGDATA"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("LC_ALL", "no_SUCH.locale")
    with used(data_dir) as url:
        assert await ask(url, "SELECT current_user::text") == "postgres"


async def test_text_is_unicode_and_times_are_utc(data_dir: Path) -> None:
    with used(data_dir) as url:
        assert await ask(url, "SELECT upper('grün ж')") == "GRÜN Ж"
        assert await ask(url, "SHOW timezone") == "UTC"


def test_an_interrupted_making_is_made_again(data_dir: Path) -> None:
    unfinished = data_dir / "postgres.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with used(data_dir):
        assert not unfinished.exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("PG_VERSION", "16\n", "is of PostgreSQL 16"), ("letter", "Dear", "not a PostgreSQL cluster")],
)
def test_other_data_is_left_alone(data_dir: Path, name: str, content: str, told: str) -> None:
    cluster = data_dir / "postgres"
    cluster.mkdir(parents=True)
    (cluster / name).write_text(content)
    with pytest.raises(embedded.EmbeddedError, match=told):
        embedded.start(data_dir)
    assert [path.name for path in cluster.iterdir()] == [name]


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedError, match="cannot be used"):
        embedded.start(tmp_path / "file" / "data")


def test_a_broken_cluster_is_told_with_postgresqls_words(data_dir: Path) -> None:
    with used(data_dir):
        pass
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(embedded.EmbeddedError, match=r"did not start.*pg_control"):
        embedded.start(data_dir)
