"""An idempotency key is taken when a job is to be created, and its holder deleted a moment later."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands import creation
from db.database_errors import DatabaseUnavailableError
from db.outcomes import CreatedJob
from joblens import JobRepository, NewJob, session_scope
from tests.resolvers.live.rest import until_someone_waits

HOLD = "INSERT INTO job (org_id, type, idempotency_key) VALUES ($1, 'held', $2)"
FREE = "DELETE FROM job WHERE org_id = $1 AND type = 'held'"


async def create(engine: AsyncEngine, org_id: UUID, keys: str) -> list[CreatedJob]:
    async with session_scope(org_id, engine=engine) as session:
        new = [NewJob(type="t", idempotency_key=key) for key in keys]
        return await JobRepository(session).create_many_jobs(new)


async def test_the_key_is_taken_after_all(
    engine: AsyncEngine, org_id: UUID, owner: Any, database_url: str
) -> None:
    await owner.execute(HOLD, org_id, "a")
    async with session_scope(org_id, engine=engine) as session:
        # The batch finds "a" taken and waits for this transaction, as it comes to "m".
        await JobRepository(session).create_job("t", idempotency_key="m")
        creating = asyncio.create_task(create(engine, org_id, "maa"))
        await until_someone_waits(database_url)
        await owner.execute(FREE, org_id)
    made = await creating
    assert [each.created for each in made] == [False, True, False]
    assert made[1].job == made[2].job
    async with session_scope(org_id, engine=engine) as session:
        found = await JobRepository(session).get_job_with_events(made[1].job.id)
    assert found is not None
    assert [each.next_status for each in found.events] == ["queued"]


@contextmanager
def fickle_holder(engine: AsyncEngine, org_id: UUID, owner: Any, times: int) -> Iterator[None]:
    """Let another connection take the key before an INSERT of jobs, and free it after, so often."""
    left = times

    def run(connection: Any, *statement: Any) -> None:
        connection.connection.dbapi_connection.run_async(lambda _: owner.execute(*statement))

    def before(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if left and statement.startswith("INSERT INTO job "):
            run(connection, HOLD, org_id, "k")

    def after(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal left
        if left and statement.startswith("INSERT INTO job "):
            left -= 1
            run(connection, FREE, org_id)

    listeners = {"before_cursor_execute": before, "after_cursor_execute": after}
    for name, listener in listeners.items():
        event.listen(engine.sync_engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine.sync_engine, name, listener)


async def test_the_key_may_be_freed_several_times(
    engine: AsyncEngine, org_id: UUID, owner: Any
) -> None:
    with fickle_holder(engine, org_id, owner, creation.MAX_TRIES - 1):
        (made,) = await create(engine, org_id, "k")
    assert made.created


async def test_nobody_tries_for_ever(engine: AsyncEngine, org_id: UUID, owner: Any) -> None:
    with (
        fickle_holder(engine, org_id, owner, creation.MAX_TRIES),
        pytest.raises(DatabaseUnavailableError),
    ):
        await create(engine, org_id, "k")
    assert await owner.fetchval("SELECT count(*) FROM job WHERE org_id = $1", org_id) == 0
