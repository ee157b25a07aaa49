"""`joblens prune`: it prints what it would delete, deletes it, and prints what it deleted."""

import asyncio
import re
from uuid import UUID, uuid4

import asyncpg

from db.engine import create_engine
from db.tallies.summing import sum_once
from tests.db.retention.test_pruning import DAY, ended, keep
from tests.server.cli.conftest import run


def count(url: str, org_id: UUID) -> int:
    async def read() -> int:
        connection = await asyncpg.connect(url)
        found = await connection.fetchval("SELECT count(*) FROM job WHERE org_id = $1", org_id)
        await connection.close()
        return int(found)

    return asyncio.run(read())


def fill(url: str, jobs: int) -> tuple[UUID, UUID]:
    """Make an organisation with jobs that no policy keeps; get its id and that of the policy."""
    org_id = uuid4()
    asyncio.run(ended(url, jobs, org_id, type="report.daily"))
    asyncio.run(ended(url, 2, org_id, type="other"))
    return org_id, asyncio.run(keep(url, org_id, DAY, "succeeded", "report.*")).id


def test_all_organisations_and_one(ledger: str) -> None:
    (one, policy), (other, _) = fill(ledger, 3), fill(ledger, 1)
    told = run("prune", "--dry-run")
    assert told.exit_code == 0
    assert re.search(rf"{one} +{policy} +succeeded +report\.\* +3", told.stdout)
    assert "would delete 4 jobs" in told.stderr
    assert (count(ledger, one), count(ledger, other)) == (5, 3)
    told = run("prune", "--org", str(one))
    assert re.search(rf"{one} +{policy} +succeeded +report\.\* +3", told.stdout)
    assert str(other) not in told.stdout
    assert "deleted 3 jobs" in told.stderr
    assert (count(ledger, one), count(ledger, other)) == (2, 3)
    assert "deleted 1 job\n" in run("prune").stderr
    assert (count(ledger, one), count(ledger, other)) == (2, 2)
    assert "deleted 0 jobs" in run("prune").stderr


def test_an_organisation_whose_first_sums_are_being_made(ledger: str) -> None:
    org_id, _ = fill(ledger, 3)

    async def begin() -> None:
        engine = create_engine(ledger)
        await sum_once(engine, org_id)
        await engine.dispose()

    asyncio.run(begin())
    told = run("prune", "--org", str(org_id))
    assert "run `joblens tally` first" in told.stderr
    assert count(ledger, org_id) == 5
    run("tally", "--org", str(org_id))
    assert "deleted 3 jobs" in run("prune", "--org", str(org_id)).stderr
