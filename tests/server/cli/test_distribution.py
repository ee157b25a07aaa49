"""`joblens distribute`, with a stand-in for Citus."""

import asyncio

from db.distribution import TABLES, statements
from tests.server.cli.conftest import run
from tests.support.stand_in import calls, pretend_citus


def test_it_needs_citus(ledger: str) -> None:
    told = run("distribute")
    assert told.exit_code == 2
    assert "CREATE EXTENSION citus" in told.stderr


def test_it_prints_or_runs_what_is_left_to_do(ledger: str) -> None:
    asyncio.run(pretend_citus(ledger))
    assert run("distribute", "--dry-run").stdout == "".join(f"{each};\n" for each in statements(()))
    assert asyncio.run(calls(ledger)) == []
    assert run("distribute", "--shards", "32").stdout == f"distributed {len(TABLES)} tables\n"
    assert asyncio.run(calls(ledger))[0] == ("org", "default", 32)
    assert run("distribute").stdout == "all tables are distributed already\n"
    assert run("distribute", "--dry-run").stdout == ""


def test_the_doctor_knows_citus(ledger: str) -> None:
    asyncio.run(pretend_citus(ledger))
    assert " distribution " in run("doctor").stdout
    run("distribute")
    told = run("doctor")
    assert told.exit_code == 1
    assert "joblens_app may not log in on the workers" in told.stdout
    assert "JOBLENS_POOL_OVERFLOW is" in told.stdout
