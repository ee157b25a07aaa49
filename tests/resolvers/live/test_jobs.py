"""job: as it is now, after each change, until it is terminal; statusCounts: at their pace."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from db.repository import JobRepository
from db.session_scope import create_worker_engine, session_scope
from tests.resolvers.live.clients import socket
from tests.resolvers.live.watching import NEVER, until, watching
from tests.support.ledger import insert, job
from tests.support.service import ORG, Service, serving

JOB = "subscription ($id: ID!) { job(id: $id) { status latestEvent { id } } }"
COUNTS = "subscription ($every: Float, $filter: JobFilter) { statusCounts(everySeconds: $every, filter: $filter) { status count { value isExact } } }"


def counted(counts: list[dict]) -> dict[str, int]:
    assert len(counts) == 6
    return {each["status"]: each["count"]["value"] for each in counts if each["count"]["value"]}


async def test_a_job_is_told_until_it_ends(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row, other = await watched.job(), await watched.job()
        subscriber = await watched.subscribe(JOB, {"id": str(row["id"])})
        await watched.listens()
        assert await subscriber.data() == {"status": "QUEUED", "latestEvent": None}
        for status in ("running", "queued", "running"):
            await watched.happen(other, "running")
            written = await watched.happen(row, status)
            told = {"status": status.upper(), "latestEvent": {"id": written}}
            assert await subscriber.data() == told
        await watched.happen(row, "succeeded")
        assert (await subscriber.data())["status"] == "SUCCEEDED"
        assert await subscriber.completes()


async def test_an_ended_job_is_told_once(database_url: str) -> None:
    async with watching(database_url) as watched:
        row = await watched.job(status="failed")
        subscriber = await watched.subscribe(JOB, {"id": str(row["id"])})
        assert (await subscriber.data())["status"] == "FAILED"
        assert await subscriber.completes()


async def test_a_deleted_job_completes(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe(JOB, {"id": str(row["id"])})
        await subscriber.data()
        await watched.writer.execute("DELETE FROM job WHERE id = $1", row["id"])
        assert await subscriber.completes()


DELETE = "mutation ($f: JobFilter!) { deleteJobs(filter: $f) { deleted } }"


@pytest.mark.parametrize("deletes", ["mutation", "repository", "other program"])
async def test_clients_of_deleted_jobs_are_told_at_once(database_url: str, deletes: str) -> None:
    """By the notification alone; others' streams go on."""
    rows = [job(n) for n in range(3)]
    await insert(database_url, rows)
    ids = [row["id"] for row in rows[:2]]
    async with (
        serving(database_url, live_poll_seconds="3600") as service,
        socket(service) as client,
    ):
        await client.init()
        for number, row in enumerate(rows):
            await client.subscribe(str(number), JOB, id=str(row["id"]))
            first = await client.receive()
            assert (first["type"], first["payload"]["data"]["job"]["status"]) == ("next", "QUEUED")
        await listens(database_url)
        await delete(service, database_url, ids, deletes)
        ended = [await client.receive() for _ in ids]
        assert {(each["id"], each["type"]) for each in ended} == {
            ("0", "complete"),
            ("1", "complete"),
        }
        cancel = "mutation ($id: ID!) { cancelJob(id: $id) { __typename } }"
        await service.query(cancel, {"id": str(rows[2]["id"])})
        last = await client.receive()
        assert (last["id"], last["payload"]["data"]["job"]["status"]) == ("2", "CANCELED")
        assert await client.receive() == {"id": "2", "type": "complete"}


async def listens(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    found = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database() AND state = 'idle'"
    await until(lambda: connection.fetchval(found))
    await connection.close()


async def delete(service: Service, database_url: str, ids: list[UUID], deletes: str) -> None:
    match deletes:
        case "mutation":
            filter_ = {"ids": [str(each) for each in ids]}
            assert (await service.query(DELETE, {"f": filter_}))["deleteJobs"]["deleted"] == 2
        case "repository":
            engine = create_worker_engine(database_url)
            async with session_scope(UUID(ORG), engine=engine) as session:
                assert await JobRepository(session).delete_many_jobs(ids) == sorted(ids)
            await engine.dispose()
        case _:
            writer = await asyncpg.connect(database_url)
            async with writer.transaction():
                await writer.execute("DELETE FROM job WHERE id = ANY($1)", ids)
                await writer.execute("SELECT pg_notify('joblens', $1)", ORG)
            await writer.close()


async def test_a_client_of_a_deleted_job_is_told_by_the_poll(database_url: str) -> None:
    row = job()
    await insert(database_url, [row])
    async with (
        serving(database_url, live_poll_seconds="0.1") as service,
        socket(service) as client,
    ):
        await client.init()
        await client.subscribe("1", JOB, id=str(row["id"]))
        assert (await client.receive())["type"] == "next"
        writer = await asyncpg.connect(database_url)
        await writer.execute("DELETE FROM job WHERE id = $1", row["id"])
        await writer.close()
        assert await client.receive() == {"id": "1", "type": "complete"}


async def test_an_unknown_job_is_refused(database_url: str) -> None:
    async with watching(database_url) as watched:
        theirs = await watched.job(org_id=(await watched.job())["id"])
        for id_ in (str(theirs["id"]), "x"):
            error = await watched.refused(JOB, {"id": id_})
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert watched.hub.subscriptions == 0


async def test_counts_come_when_they_change(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe(COUNTS, {"every": 0.2})
        await watched.listens()
        assert counted(await subscriber.data()) == {"QUEUED": 1}
        await watched.happen(row, "running")
        assert counted(await subscriber.data()) == {"RUNNING": 1}
        # Nothing to tell: the next message is of the change after.
        await watched.happen(row, "running")
        await watched.happen(row, "succeeded")
        assert counted(await subscriber.data()) == {"SUCCEEDED": 1}


async def test_counts_keep_their_pace(database_url: str) -> None:
    """Many changes at once are not many messages: what is told is where they led to."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        rows = [await watched.job() for _ in range(30)]
        patient = await watched.subscribe(COUNTS, {"every": 1.0})
        await watched.listens()
        assert counted(await patient.data()) == {"QUEUED": 30}
        messages = 0
        for row in rows:
            await watched.happen(row, "running")
        while counted(await patient.data()) != {"RUNNING": 30}:
            messages += 1
        assert messages < 15


async def test_counts_are_computed_once_for_all(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job(type="mail")
        await watched.job(type="sync")
        wanted = {"every": 0.2, "filter": {"type": {"eq": "mail"}}}
        many = [await watched.subscribe(COUNTS, wanted) for _ in range(50)]
        for subscriber in many:
            assert counted(await subscriber.data()) == {"QUEUED": 1}
        await watched.listens()
        await until(lambda: not any(watch._is_stale for watch in watched.hub._counts.values()))
        with watched.recorded() as statements:
            await watched.happen(row, "running")
            told = await asyncio.gather(*(subscriber.data() for subscriber in many))
        assert [counted(counts) for counts in told] == [{"RUNNING": 1}] * 50
        assert sum("GROUP BY" in statement for statement in statements) <= 2


async def test_a_pace_out_of_bounds_is_refused(database_url: str) -> None:
    async with watching(database_url) as watched:
        for every in (0, -1, 0.1, 1e9):
            error = await watched.refused(COUNTS, {"every": every})
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
