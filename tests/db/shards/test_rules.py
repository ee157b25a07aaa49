"""The rules of statements on shards find what was wrong once, and what is planted."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.support.mutability import mutable
from tests.support.shards import faults

JOBS = "SELECT id FROM job WHERE org_id = $1"
BOUND = [
    JOBS,
    "SELECT j.id FROM job j WHERE j.org_id = $1::uuid AND j.status = 'failed'",
    "SELECT id FROM job WHERE $1 = org_id",
    "SELECT j.id FROM job j LEFT JOIN job_event e ON e.org_id = $1 AND e.job_id = j.id"
    " WHERE j.org_id = $1",
    "SELECT j.id FROM job j JOIN job_event e ON e.org_id = $1 AND e.job_id = j.id AND j.org_id = $1",
    f"WITH job AS ({JOBS}) SELECT id FROM job",
    f"{JOBS} UNION ALL {JOBS}",
    f"SELECT EXISTS ({JOBS})",
    "UPDATE job SET attempt = 1 WHERE org_id = $1",
    "DELETE FROM job WHERE org_id = $1",
    "INSERT INTO job (id, org_id) VALUES ($2, $1), ($3, $1)",
    "INSERT INTO tally_key (org_id, id) SELECT $1, * FROM unnest($2::int[]) AS given",
    "INSERT INTO job (org_id, id) SELECT p0::uuid, p1 FROM (VALUES ($1, $2)) AS g (p0, p1)",
    "SELECT id FROM pg_temp.job",
    "SELECT now()",
]
UNBOUND = {
    "no organisation": "SELECT id FROM job",
    "only in a part of OR": "SELECT id FROM job WHERE org_id = $1 OR id = $2",
    "not an equality": "SELECT id FROM job WHERE org_id > $1",
    "a list": "SELECT id FROM job WHERE org_id = ANY($1)",
    "inner level": f"{JOBS} AND EXISTS (SELECT FROM job_event e WHERE e.job_id = job.id)",
    "the outer level's organisation": "SELECT id FROM job j WHERE j.org_id = $1 AND EXISTS"
    " (SELECT FROM job_event e WHERE e.org_id = j.org_id AND e.job_id = j.id)",
    "LATERAL": "SELECT j.id FROM job j CROSS JOIN LATERAL (SELECT seq FROM job_event e"
    " WHERE e.org_id = j.org_id) AS x WHERE j.org_id = $1",
    "another row's organisation": "SELECT j.id FROM job j JOIN job_event e"
    " ON e.org_id = j.org_id WHERE j.org_id = $1",
    "outside of an outer join": "SELECT j.id FROM job j"
    " LEFT JOIN job_event e ON e.org_id = $1 AND j.org_id = $1",
    "one of two": "SELECT a.id FROM job a, job b WHERE a.org_id = $1",
    "unqualified": "SELECT a.id FROM job a, job b WHERE org_id = $1",
    "CTE": "WITH x AS (SELECT id FROM job) SELECT id FROM x",
    "a table as before its CTE": f"WITH job AS (SELECT id FROM job) {JOBS}",
    "set operation": f"{JOBS} UNION ALL SELECT id FROM job",
    "UPDATE": "UPDATE job SET attempt = 1 WHERE id = $1",
    "DELETE": "DELETE FROM job WHERE id = $1",
    "USING": "DELETE FROM job USING job_event e WHERE job.org_id = $1",
    "UPDATE FROM": "UPDATE job SET attempt = e.seq FROM job_event e"
    " WHERE job.org_id = $1 AND e.job_id = job.id",
    "INSERT": "INSERT INTO job (id) VALUES ($1)",
    "one of two rows": "INSERT INTO job (id, org_id) VALUES ($2, $1), ($3, gen_random_uuid())",
    "INSERT SELECT": "INSERT INTO job_event (org_id, job_id)"
    " SELECT org_id, id FROM job WHERE org_id = $1",
}
FORBIDDEN = {
    "MERGE": "MERGE INTO job USING (SELECT 1) AS x ON job.org_id = $1 WHEN MATCHED THEN DELETE",
    "modifying CTE": "WITH x AS (UPDATE job SET attempt = 1 WHERE org_id = $1 RETURNING id)"
    " SELECT id FROM x",
    "now()": "UPDATE job SET updated_at = greatest(updated_at, now()) WHERE org_id = $1",
    "clock_timestamp()": "UPDATE job SET attempt = 1 WHERE org_id = $1"
    " RETURNING coalesce(updated_at, clock_timestamp())",
    "CURRENT_TIMESTAMP": "UPDATE job SET updated_at = CURRENT_TIMESTAMP WHERE org_id = $1",
    "gen_random_uuid()": "INSERT INTO job (org_id, id) VALUES ($1, $2)"
    " ON CONFLICT (org_id, id) DO UPDATE SET id = gen_random_uuid()",
}
DUE = "CASE WHEN status = 'failed' THEN greatest($2::timestamptz, updated_at) + {} END"
INTERVAL = "make_interval(0, 0, 0, 0, 0, 0, $3::float8)"
STABLE = {
    # What db.commands.transition_statements had.
    "a time and an interval": DUE.format(INTERVAL),
    "now()": "coalesce(scheduled_at, now())",
    "the session's time zone": "date_trunc('day', updated_at)",
    "text as a time": "CAST(payload ->> 'at' AS timestamptz)",
    "a random number": "to_timestamp(random())",
}
IMMUTABLE = {
    "a parameter": "$2::timestamptz",
    "a constant": "TIMESTAMPTZ 'epoch'",
    # What db.commands.transition_statements has.
    "a time without a zone": "CASE WHEN status = 'failed' THEN timezone('UTC',"
    f" timezone('UTC', greatest($2::timestamptz, updated_at)) + {INTERVAL}) END",
    "numbers": "to_timestamp(CAST(EXTRACT(epoch FROM (updated_at - TIMESTAMPTZ 'epoch')"
    f" + {INTERVAL.replace('$3', '$2')}) AS double precision))",
}


@pytest.mark.parametrize("sql", BOUND)
def test_bound_statements_pass(sql: str) -> None:
    assert faults(sql) == []


@pytest.mark.parametrize("sql", UNBOUND.values(), ids=UNBOUND)
def test_tables_without_an_organisation_are_found(sql: str) -> None:
    assert any("without org_id = $n" in fault for fault in faults(sql))


@pytest.mark.parametrize(("name", "sql"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_forbidden_parts_are_found(name: str, sql: str) -> None:
    assert any(name.lower().strip("()") in fault.lower() for fault in faults(sql))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


@pytest.mark.parametrize("value", STABLE.values(), ids=STABLE)
async def test_expressions_that_are_not_immutable_are_found(connection: Any, value: str) -> None:
    (fault,) = await mutable(connection, _update(value))
    assert "IMMUTABLE" in fault


@pytest.mark.parametrize("value", IMMUTABLE.values(), ids=IMMUTABLE)
async def test_immutable_expressions_pass(connection: Any, value: str) -> None:
    assert await mutable(connection, _update(value)) == []


async def test_columns_of_other_sources_have_their_types(connection: Any) -> None:
    sql = """
    WITH given AS (SELECT $2::timestamptz AS at) UPDATE job SET updated_at = given.at + before.lag
    FROM given, (SELECT interval '1 day' AS lag) AS before WHERE job.org_id = $1
    """
    (fault,) = await mutable(connection, sql)
    assert "IMMUTABLE" in fault


@pytest.mark.parametrize(
    ("value", "is_refused"), [("excluded.events + k.events", False), ("k.events * random()", True)]
)
async def test_conflicts_are_checked(connection: Any, value: str, is_refused: bool) -> None:
    sql = f"""
    INSERT INTO error_tally AS k (org_id, error_group, span, start, events)
    VALUES ($1, $2, 1, $3, 1)
    ON CONFLICT (org_id, error_group, span, start) DO UPDATE SET events = {value}
    """
    assert bool(await mutable(connection, sql)) == is_refused


async def test_a_subquery_in_set_is_found(connection: Any) -> None:
    sql = "UPDATE job SET (attempt, priority) = (SELECT 1, 2) WHERE org_id = $1"
    assert await mutable(connection, sql) == ["SET attempt: a subquery"]


def _update(value: str) -> str:
    return f"UPDATE job SET scheduled_at = {value} WHERE org_id = $1"
