"""`joblens tally`: it sums, prints for how many organisations, and can start again."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from tests.server.cli.conftest import run
from tests.support.ledger import events, insert, job


async def fill(url: str) -> str:
    org_id = uuid4()
    rows = [job(n, org_id=org_id) for n in range(3)]
    await insert(url, rows, [step for row in rows for step in events(row, "queued")])
    return str(org_id)


async def created(url: str, org_id: str) -> int | None:
    connection = await asyncpg.connect(url)
    query = "SELECT created FROM tally WHERE org_id = $1 AND span = 0 AND key_id = 0"
    found: int | None = await connection.fetchval(query, org_id)
    await connection.close()
    return found


def test_all_organisations(ledger: str) -> None:
    org_ids = [asyncio.run(fill(ledger)) for _ in range(2)]
    told = run("tally")
    assert told.exit_code == 0
    assert told.stdout == ""
    assert "summed the events of 2 organisations" in told.stderr
    assert [asyncio.run(created(ledger, org_id)) for org_id in org_ids] == [3, 3]
    assert "summed the events of 0 organisations" in run("tally").stderr


def test_one_organisation(ledger: str) -> None:
    one, other = asyncio.run(fill(ledger)), asyncio.run(fill(ledger))
    assert "of 1 organisation\n" in run("tally", "--org", one).stderr
    assert asyncio.run(created(ledger, other)) is None
    assert "of 0 organisations" in run("tally", "--org", one).stderr
    assert "of 1 organisation\n" in run("tally", "--org", one, "--rebuild").stderr


async def make_foreign(url: str, org_id: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE job_event SET xid = '9000000000000000' WHERE org_id = $1", org_id
    )
    await connection.close()


@pytest.mark.parametrize("options", [[], ["--rebuild"]])
def test_events_of_another_server(ledger: str, options: list[str]) -> None:
    org_id = asyncio.run(fill(ledger))
    asyncio.run(make_foreign(ledger, org_id))
    told = run("tally", "--org", org_id, *options)
    assert "restored from another server: run `joblens migrate` first" in told.stderr
    run("migrate")
    assert "of 1 organisation\n" in run("tally", "--org", org_id).stderr
