"""Connections die and servers restart: what happened meanwhile arrives all the same, once."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from db import embedded, migrations
from db.embedded import clusters
from tests.resolvers.live.rest import table_locked
from tests.resolvers.live.watching import EVENTS, NEVER, until, watching

COUNTS = "subscription { statusCounts(everySeconds: 0.2) { status count { value } } }"
WITH_JOB = "subscription { jobEvents { node { id job { type } } } }"


async def test_it_listens_again_when_its_connection_is_killed(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        subscriber = await watched.subscribe()
        for _ in range(3):
            pid = await watched.listens()
            async with watched.writer.transaction():
                await watched.writer.execute("SELECT pg_terminate_backend($1, 10000)", pid)
                # Nobody listens now; the look around after the reconnect finds it.
                unheard = await watched.happen(row)
            assert await subscriber.ids(1) == [unheard]
            assert await watched.listens() != pid
            heard = await watched.happen(row)
            assert await subscriber.ids(1) == [heard]


async def test_events_that_cannot_be_told_together_are_told_one_by_one(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        watched.statement_timeout_seconds = 0.2
        row = await watched.job()
        subscriber = await watched.subscribe(WITH_JOB)
        await watched.listens()
        for _ in range(3):
            await watched.happen(row, notify=False)
        with watched.recorded() as statements:
            async with table_locked(database_url):
                await watched.writer.execute("SELECT pg_notify('joblens', $1)", str(watched.org_id))
                refused = [await subscriber.next() for _ in range(3)]
        assert [response.codes() for response in refused] == [{"TIMEOUT"}] * 3
        assert sum("FROM job " in statement for statement in statements) == 4
        assert await subscriber.is_quiet()
        later = await watched.happen(row)
        assert await subscriber.ids(1) == [later]


async def test_a_pool_that_was_killed_misses_nothing(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.1) as watched:
        row = await watched.job()
        subscriber, by_job = await watched.subscribe(), await watched.subscribe(WITH_JOB)
        written = []
        for _ in range(5):
            await watched.writer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            written.append(await watched.happen(row))
        assert await subscriber.ids(5) == written
        assert await by_job.ids(5) == written


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[Path, str]]:
    """A server of its own, to stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    await migrations.upgrade(server.url)
    yield folder / "postgres", server.url
    server.stop()
    shutil.rmtree(folder)


async def test_a_restart_misses_nothing(cluster: tuple[Path, str]) -> None:
    path, url = cluster
    async with watching(url, poll_seconds=0.1) as watched:
        row = await watched.job()
        watchers = [await watched.subscribe(), await watched.subscribe(WITH_JOB)]
        counts = await watched.subscribe(COUNTS)
        written = [await watched.happen(row)]
        for watcher in watchers:
            assert await watcher.ids(1) == written
        waiting = [asyncio.ensure_future(watcher.ids(2)) for watcher in watchers]
        await asyncio.to_thread(clusters.stop, path)
        await until(lambda: all(feed._failing for feed in watched.hub._feeds.values()))
        refused = await watched.attempt(EVENTS)
        assert refused.codes() == {"UNAVAILABLE"}  # type: ignore[union-attr]
        await asyncio.to_thread(clusters.start, path)
        watched.writer = await asyncpg.connect(url)
        unheard = await watched.happen(row, notify=False)
        await watched.listens()
        heard = await watched.happen(row, "running")
        assert await asyncio.gather(*waiting) == [[unheard, heard]] * 2
        while {each["status"]: each["count"]["value"] for each in await counts.data()}[
            "RUNNING"
        ] != 1:
            pass
        await watched.writer.close()
