"""Jobs by where they are in the table: in one snapshot, and by no other way."""

from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from db.criteria import JobCriteria, JsonContainment, Locations
from db.engine import Scope
from db.queries import jobs
from db.queries.keyset import JOB_ORDERS, JobOrderField, Window
from db.queries.locations import count_locations, list_ids_at
from db.queries.payloads import locate_jobs_containing
from db.request_session import RequestSession
from tests.support.ledger import insert, job

ORG, OTHER = UUID(int=501), UUID(int=502)
WINDOW = Window(JOB_ORDERS[JobOrderField.CREATED_AT, True], 51)


async def test_jobs_that_change_meanwhile_are_read_as_they_were(
    database_url: str, engine: AsyncEngine
) -> None:
    rows = [job(n, org_id=ORG, type="before", payload={"n": n % 2}) for n in range(10)]
    await insert(database_url, rows, [])
    wanted = {row["id"] for row in rows if row["payload"] == {"n": 1}}
    containment = JsonContainment({"n": 1})
    writer = await asyncpg.connect(database_url)
    async with RequestSession(engine, Scope(ORG, 60)) as session, session.use() as begun:
        found = await locate_jobs_containing(begun, ORG, containment)
        assert found is not None
        await writer.execute("UPDATE job SET type = 'after', payload = '{}' WHERE org_id = $1", ORG)
        # Others use the room that is free now.
        await writer.execute("VACUUM job")
        await insert(database_url, [job(n, org_id=OTHER, payload={"n": 1}) for n in range(50)], [])
        criteria = JobCriteria(locations=found, payload_contains=containment)
        listed = await jobs.list_jobs(begun, ORG, criteria, WINDOW, ["type"])
        assert {row.id for row in listed} == set(await list_ids_at(begun, ORG, found)) == wanted
        assert {row.type for row in listed} == {"before"}
        assert await jobs.count_jobs(begun, ORG, criteria, None) == len(wanted)
    await writer.close()


async def test_jobs_of_another_organisation_are_not_read(
    database_url: str, engine: AsyncEngine
) -> None:
    both = [job(n, org_id=org) for n, org in enumerate([ORG, *[OTHER] * 3])]
    await insert(database_url, both, [])
    connection = await asyncpg.connect(database_url)
    everywhere = Locations(await connection.fetchval("SELECT array_agg(ctid)::text FROM job"))
    own = await connection.fetchval("SELECT count(*) FROM job WHERE org_id = $1", OTHER)
    await connection.close()
    async with RequestSession(engine, Scope(OTHER, 60)) as session, session.use() as begun:
        assert count_locations(everywhere) > own >= 3
        assert len(await list_ids_at(begun, OTHER, everywhere)) == own
        assert await list_ids_at(begun, ORG, everywhere) == []
        assert await list_ids_at(begun, OTHER, Locations("{}")) == []
