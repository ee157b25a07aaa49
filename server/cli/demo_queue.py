"""The queue of `joblens demo --queue`: in a database of its own, and a source of the ledger."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import UUID

from db.connections import connect
from db.facts import Source, ensure_source
from db.facts.mirrored import update_source
from db.session_scope import create_worker_engine, session_scope
from demo.worker_process import WorkerError, missing_packages, queue_worker
from mirror.options import MirrorOptions
from server.cli.errors import fail

DATABASE = "demo_queue"
SOURCE = Source("procrastinate", "procrastinate")
INTERVAL_SECONDS = 0.5


def require_packages() -> None:
    """End the command, with the remedy, unless the queue's packages are installed."""
    if missing := missing_packages():
        fail(
            f"--queue needs {' and '.join(missing)}: install joblens[queue-demo]; "
            'in a checkout: make demo ARGS="--queue procrastinate"'
        )


@contextmanager
def real_queue(url: str, org_id: UUID) -> Iterator[None]:
    """Run a queue and its worker while the body runs; serving processes follow it.

    `url`: of the ledger, on whose server the queue has its database.
    """
    queue_url = urlsplit(url)._replace(path=f"/{DATABASE}").geturl()
    asyncio.run(_create_database(url))
    try:
        with queue_worker(queue_url):
            asyncio.run(_add_source(url, org_id, queue_url))
            yield
    except WorkerError:
        fail("the worker of the demo's queue did not start")


async def _create_database(url: str) -> None:
    connection = await connect(url, "joblens demo")
    try:
        known = "SELECT 1 FROM pg_database WHERE datname = $1"
        if not await connection.fetchval(known, DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def _add_source(url: str, org_id: UUID, queue_url: str) -> None:
    """Add the source, to be read from its beginning: `--fresh` may have deleted its jobs."""
    options = MirrorOptions(url=queue_url, interval_seconds=INTERVAL_SECONDS)
    engine = create_worker_engine(url)
    try:
        async with session_scope(org_id, engine=engine) as session:
            source_id = await ensure_source(session, org_id, SOURCE)
            values = {"settings": options.stored, "checkpoint": {}, "last_error": None}
            await update_source(session, org_id, source_id, values)
    finally:
        await engine.dispose()
