"""`joblens mirror`: check, add, run, list and remove a queue."""

import asyncio
from pathlib import Path

import pytest

from tests.conftest import create_database, database_in, drop_database
from tests.mirror.fake_river import DDL
from tests.mirror.mirroring import histories
from tests.server.cli.conftest import run
from tests.support.queues import execute

JOB = "INSERT INTO river_job (kind) VALUES ('email_send');"


@pytest.fixture
def queue(cluster_url: str) -> str:
    """A database with a queue."""
    name = asyncio.run(create_database(cluster_url))
    url = database_in(cluster_url, name)
    asyncio.run(execute(url, DDL + JOB))
    yield url
    asyncio.run(drop_database(cluster_url, name))


def test_a_queue_is_followed(ledger: str, queue: str, tmp_path: Path) -> None:
    told = run("mirror", "check", queue)
    assert "queue: River, schema public, version 6 (known)" in told.stdout
    assert "poll: possible" in told.stdout
    file = tmp_path / "url"
    file.write_text(queue)
    added = run("mirror", "add", "shop", "--url-file", str(file), "--since", "30d")
    assert "added shop: river, version 6" in added.stdout
    assert run("mirror", "add", "shop", queue).exit_code == 2
    assert run("mirror", "run", "--once").exit_code == 0
    assert asyncio.run(histories(ledger, "shop")) == {"1": ["queued 0"]}
    assert "shop" in run("mirror", "list").stdout
    assert "its jobs stay" in run("mirror", "remove", "shop").stderr
    assert "shop" not in run("mirror", "list").stdout
    assert asyncio.run(histories(ledger, "shop")) == {"1": ["queued 0"]}
    assert "there is no mirror shop" in run("mirror", "remove", "shop").stderr
    assert "there is no mirror yet" in run("mirror", "run").stderr


def test_a_secret_is_not_kept(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run("mirror", "add", "shop", "postgresql://me:secret@localhost/shop")
    assert "--url-env or --url-file" in told.stderr
    assert "secret" not in told.stderr
    assert (
        "the variable SHOP_URL is not set" in run("mirror", "check", "--url-env", "SHOP_URL").stderr
    )
    monkeypatch.setenv("SHOP_URL", "postgresql://me:secret@localhost:1/shop")
    told = run("mirror", "check", "--url-env", "SHOP_URL")
    assert told.exit_code == 2
    assert "secret" not in told.stderr
    assert "give the URL" in run("mirror", "check").stderr


def test_an_unknown_version_is_refused(ledger: str, queue: str) -> None:
    asyncio.run(execute(queue, "UPDATE river_migration SET version = 99"))
    assert "version 99 (unknown; known: 4, 5, 6, 7)" in run("mirror", "check", queue).stdout
    told = run("mirror", "add", "shop", queue)
    assert "River in the schema public has a schema of version 99" in told.stderr


def test_rows_that_a_login_does_not_see(ledger: str, queue: str) -> None:
    hidden = (
        "DROP ROLE IF EXISTS mirror_reader; CREATE ROLE mirror_reader LOGIN;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO mirror_reader;"
        "ALTER TABLE river_job ENABLE ROW LEVEL SECURITY"
    )
    asyncio.run(execute(queue, hidden))
    reader = queue.replace("//postgres:@", "//mirror_reader:@")
    told = run("mirror", "check", reader)
    assert "row level security hides the rows of public.river_job" in told.stdout
    assert "the login lacks REPLICATION" in told.stdout
    assert "row level security" in run("mirror", "add", "shop", reader).stderr
    asyncio.run(execute(queue, "DROP OWNED BY mirror_reader; DROP ROLE mirror_reader"))


def test_a_database_without_a_queue(ledger: str) -> None:
    assert "no queue was found that Joblens knows" in run("mirror", "check", ledger).stderr
