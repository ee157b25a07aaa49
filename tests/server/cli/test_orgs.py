"""Whose jobs a command moves: it says so, takes names and ids, and lists all there are."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from server.settings import Settings
from tests.server.cli.conftest import Outcome, run

DEFAULT = str(Settings().org)
RECORD = {"type": "mail", "status": "queued", "created_at": "2026-01-31T08:00:00Z"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.ndjson"
    path.write_bytes(orjson.dumps(RECORD))
    return path


@pytest.fixture
def acme(ledger: str) -> tuple[str, str]:
    """An organisation's id and name."""
    name = f"Acme {uuid4().hex[:8]}"
    return run("org", "create", name).stdout.strip(), name


def exported(*options: str) -> int:
    return len(run("export", *options).stdout.splitlines())


def listed(org_id: str) -> str:
    (found,) = [line for line in run("org", "list").stdout.splitlines() if org_id in line]
    return found


def test_by_name_and_by_id(acme: tuple[str, str], file: Path) -> None:
    org_id, name = acme
    for number, given in enumerate((name, org_id, org_id.upper())):
        told = run("import", file, "--org", given)
        assert told.exit_code == 0
        assert f"importing into the organisation {name} ({org_id})\n" in told.stderr
        assert f"{int(number == 0)} imported, " in told.stderr
        again = run("export", "--org", given)
        assert len(again.stdout.splitlines()) == 1
        assert again.stderr == f"exported 1 jobs of the organisation {name} ({org_id})\n"


def test_without_org_it_says_where_they_go(acme: tuple[str, str], file: Path) -> None:
    told = run("import", file)
    assert f"importing into the organisation {DEFAULT}, which has no name yet" in told.stderr
    assert "JOBLENS_ORG, since there is no --org" in told.stderr
    assert f"joblens org create NAME --id {DEFAULT}" in told.stderr
    assert DEFAULT in run("export").stderr
    assert exported() == 1
    assert exported("--org", acme[1]) == 0


def test_an_id_that_is_new(ledger: str, file: Path) -> None:
    org_id = str(uuid4())
    for words in (["export"], ["token", "create", "--role", "viewer", "--name", "me"]):
        assert "there is no organisation" in run(*words, "--org", org_id).stderr
    told = run("import", file, "--org", org_id)
    assert told.exit_code == 0
    assert f"{org_id}, which has no name yet; to name it: joblens org create NAME" in told.stderr
    assert exported("--org", org_id) == 1
    token = run("token", "create", "--role", "viewer", "--name", "me", "--org", org_id)
    assert token.exit_code == 2
    assert f"has jobs, but no name yet; run: joblens org create NAME --id {org_id}" in token.stderr
    assert "(no name yet)" in listed(org_id)
    assert run("org", "create", f"Found {org_id}", "--id", org_id).exit_code == 0
    assert f"Found {org_id}" in listed(org_id)


def unlike(told: Outcome, name: str) -> str:
    assert (told.exit_code, told.stdout) == (2, "")
    return told.stderr.replace(f"organisation {name};", "organisation NAME;")


@pytest.mark.parametrize("name", ["Nobody", "", "1234", "%"])
def test_a_name_that_there_is_not(ledger: str, file: Path, name: str) -> None:
    token = unlike(run("token", "create", "--role", "viewer", "--name", "m", "--org", name), name)
    assert token.startswith("joblens: there is no organisation")
    assert unlike(run("import", file, "--org", name), name) == token
    assert unlike(run("export", "--org", name), name) == token
    assert unlike(run("token", "list", "--org", name), name) == token


def test_a_name_of_two(ledger: str, file: Path) -> None:
    ids = [str(uuid4()), str(uuid4())]
    name = f"Twice {ids[0]}"

    async def insert() -> None:
        connection = await asyncpg.connect(ledger)
        for org_id in ids:
            await connection.execute(
                "INSERT INTO org (org_id, name, created_at) VALUES ($1, $2, now())",
                UUID(org_id),
                name,
            )
        await connection.close()

    asyncio.run(insert())
    for words in (["import", str(file)], ["export"], ["token", "list"]):
        assert f"there are 2 organisations {name}" in run(*words, "--org", name).stderr


def test_all_are_listed(acme: tuple[str, str], file: Path) -> None:
    unnamed = sorted(str(uuid4()) for _ in range(3))
    for org_id in unnamed:
        run("import", file, "--org", org_id)
    lines = run("org", "list").stdout.splitlines()
    assert [line for line in lines if acme[0] in line and acme[1] in line]
    assert "JOBLENS_ORG" in listed(DEFAULT)
    found = [line.split()[0] for line in lines if "(no name yet)" in line]
    assert set(unnamed) <= set(found)
    assert found == sorted(found)


def test_the_embedded_database_is_named(data_dir: Path, file: Path) -> None:
    run("migrate")
    for words in (["org", "create", "Mine"], ["import", str(file), "--org", "Mine"]):
        told = run(*words)
        assert told.exit_code == 0
        assert f"JOBLENS_DATABASE_URL is not set: using the embedded database in {data_dir}" in (
            told.stderr
        )
