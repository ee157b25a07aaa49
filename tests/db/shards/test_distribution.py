"""Distributing the tables, and its checks, with a stand-in for Citus."""

from typing import Any

import asyncpg
import pytest

from db import migrations
from db.distribution import TABLES, NoCitusError, distribute, statements
from db.distribution_checks import check_distribution
from db.tables import metadata
from tests.conftest import FreshDatabase
from tests.support.stand_in import calls, pretend_citus

LOGIN = "login of workers"


async def execute(url: str, statement: str) -> None:
    connection: Any = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def findings(url: str, pool_overflow: int = 0) -> dict[str, Any]:
    found = [each async for each in check_distribution(url, pool_overflow=pool_overflow)]
    return {each.name: each for each in found}


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    made = await fresh_database()
    await pretend_citus(made)
    return made


def test_tables_come_after_those_that_they_refer_to() -> None:
    assert TABLES[:4] == ("org", "token", "job", "job_event")
    assert sorted(TABLES) == sorted(metadata.tables)
    for table in metadata.tables.values():
        for key in table.foreign_key_constraints:
            other = key.referred_table.name
            assert TABLES.index(other) <= TABLES.index(table.name)


def test_the_first_table_decides_the_number_of_shards() -> None:
    first, second, *_ = statements((), 128)
    assert first == "SELECT create_distributed_table('org', 'org_id', shard_count => 128)"
    assert second == "SELECT create_distributed_table('token', 'org_id', colocate_with => 'org')"


async def test_all_tables_are_distributed_once(url: str) -> None:
    sent = await distribute(url, 64)
    assert len(sent) == len(TABLES)
    others = [(table, "org", None) for table in TABLES[1:]]
    assert await calls(url) == [("org", "default", 64), *others]
    assert await distribute(url) == []


async def test_only_those_that_are_not_yet_are_distributed(url: str) -> None:
    await execute(url, "SELECT create_distributed_table('org', 'org_id')")
    assert await distribute(url) == statements({"org"})
    assert [name for name, *_ in await calls(url)] == list(TABLES)


async def test_a_dry_run_changes_nothing(url: str) -> None:
    assert await distribute(url, dry_run=True) == statements(())
    assert await calls(url) == []


async def test_without_citus_there_is_nothing_to_do(database_url: str) -> None:
    with pytest.raises(NoCitusError):
        await distribute(database_url)
    assert await findings(database_url) == {}


async def test_migrations_distribute_new_tables_where_jobs_are(
    fresh_database: FreshDatabase,
) -> None:
    url = await fresh_database()
    await migrations.downgrade(url, "0009")
    await pretend_citus(url)
    await execute(url, "SELECT create_distributed_table('org', 'org_id')")
    await execute(url, "SELECT create_distributed_table('job', 'org_id', 'org')")
    known = len(await calls(url))
    await migrations.upgrade(url)
    made = [name for name, *_ in (await calls(url))[known:]]
    assert sorted(made) == sorted(set(TABLES) - {"org", "job"})
    assert (await findings(url))["distribution"].ok


async def test_migrations_leave_tables_where_they_are_otherwise(
    fresh_database: FreshDatabase,
) -> None:
    url = await fresh_database()
    await migrations.downgrade(url, "0009")
    await pretend_citus(url)
    await migrations.upgrade(url)
    assert await calls(url) == []


async def test_before_distribution_there_is_advice(url: str) -> None:
    found = await findings(url)
    assert list(found) == ["distribution"]
    assert not found["distribution"].ok
    assert not found["distribution"].is_wrong


async def test_a_table_that_is_not_distributed_is_wrong(url: str) -> None:
    await distribute(url)
    await execute(url, "DELETE FROM pg_dist_partition WHERE logicalrelid = 'source'::regclass")
    check = (await findings(url))["distribution"]
    assert check.is_wrong
    assert check.finding == "not distributed: source"


@pytest.mark.parametrize(
    ("change", "finding"),
    [("partkey = 'id'", "by org_id: token"), ("partmethod = 'n'", "by org_id: token"),
     ("colocationid = 7", "not colocated")],
)  # fmt: skip
async def test_a_table_that_is_distributed_otherwise_is_wrong(
    url: str, change: str, finding: str
) -> None:
    await distribute(url)
    await execute(
        url, f"UPDATE pg_dist_partition SET {change} WHERE logicalrelid = 'token'::regclass"
    )
    check = (await findings(url))["distribution"]
    assert check.is_wrong
    assert check.finding.endswith(finding)


async def test_the_role_of_requests_must_log_in_on_workers(url: str) -> None:
    await distribute(url)
    check = (await findings(url))[LOGIN]
    assert check.is_wrong
    assert check.remedy.startswith("ALTER ROLE joblens_app LOGIN")


async def test_more_connections_than_the_pool_keeps_are_advised_against(url: str) -> None:
    await distribute(url)
    assert (await findings(url))["pool overflow"].ok
    check = (await findings(url, pool_overflow=5))["pool overflow"]
    assert not check.ok
    assert check.is_advice
