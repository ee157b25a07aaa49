"""What Joblens does through a PgBouncer that gives it a server connection for one transaction."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text

from db import migrations
from db.connections import Pooler, connect, open_cursor, owner_transaction
from db.engine import EngineOptions, Scope, create_engine
from db.repository import JobRepository
from db.request_session import RequestSession
from db.session_scope import create_worker_engine, session_scope
from db.transfer.exports import export_records
from db.transfer.imports import import_records
from tests.conftest import FreshDatabase, create_database, database_in, drop_database
from tests.support.pgbouncer import Bouncer

# Of connections, where PgBouncer has three.
MANY = 12
RECORD = b'{"type": "a", "queue": "q", "status": "queued", "created_at": "2026-01-01T00:00:00Z"}\n'


async def test_migrations_run(cluster_url: str, bouncer: Bouncer) -> None:
    name = await create_database(cluster_url)
    url = bouncer.through(database_in(cluster_url, name))
    await migrations.upgrade(url)
    assert await migrations.current(url) == migrations.head()
    await migrations.downgrade(url, "base")
    await drop_database(cluster_url, name)


async def test_engines_share_server_connections(bouncer: Bouncer, database_url: str) -> None:
    """With statements of their own and of SQLAlchemy, in transactions that alternate."""
    url = bouncer.through(database_url)
    options = EngineOptions(pool_size=MANY // 2, pool_overflow=0, pooler=Pooler.TRANSACTION)
    engines = [create_worker_engine(url, options) for _ in range(2)]

    async def work(number: int) -> list[UUID]:
        org_id, made = uuid4(), []
        for turn in range(10):
            engine = engines[(number + turn) % 2]
            async with session_scope(org_id, engine=engine) as session:
                created = await JobRepository(session).create_job(type="t", queue="q")
                made.append(created.job.id)
                found = await session.execute(
                    text("SELECT id FROM job WHERE type = :t"), {"t": "t"}
                )
                assert sorted(found.scalars()) == sorted(made)
        return made

    assert all(await asyncio.gather(*map(work, range(MANY))))
    for engine in engines:
        await engine.dispose()


async def test_no_statement_keeps_a_name(bouncer: Bouncer, database_url: str) -> None:
    """Names that stay on a server connection would collide with those of another process."""
    url = bouncer.through(database_url)
    engine = create_engine(url, EngineOptions(pooler=Pooler.TRANSACTION))
    async with RequestSession(engine, Scope(uuid4(), 60)) as session, session.use() as begun:
        await begun.execute(text("SELECT 1"))
    connection = await connect(url, "test")
    async with owner_transaction(connection):
        cursor = await open_cursor(connection, "SELECT * FROM generate_series(1, $1::int)", 100)
        rows = await cursor.fetch(60)
        # Another statement without a name, while the cursor is open.
        assert await connection.fetchval("SELECT 1") == 1
        rows += await cursor.fetch(60)
        assert [row[0] for row in rows] == list(range(1, 101))
    names = await connection.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''")
    assert names == []
    await connection.close()
    await engine.dispose()


async def test_imports_and_exports_run(bouncer: Bouncer, fresh_database: FreshDatabase) -> None:
    url = bouncer.through(await fresh_database())
    org_id, records = uuid4(), [RECORD] * 2_500
    others = asyncio.gather(*(import_records(url, uuid4(), records[:10]) for _ in range(5)))
    report = await import_records(url, org_id, records)
    assert (report.imported, report.rejected) == (2_500, 0)
    # Equal records are counted over all batches: repeated, the import changes nothing.
    assert (await import_records(url, org_id, records)).unchanged == 2_500
    assert len([line async for line in export_records(url, org_id)]) == 2_500
    assert all(each.imported == 10 for each in await others)


async def test_what_a_statement_timeout_of_the_login_would_end(
    bouncer: Bouncer, fresh_database: FreshDatabase
) -> None:
    direct = await fresh_database()
    owner = await asyncpg.connect(direct)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"ALTER DATABASE {name} SET statement_timeout = 1")
    await owner.close()
    records = [RECORD] * 2_000
    url = bouncer.through(direct)
    assert (await import_records(url, uuid4(), records)).imported == 2_000
