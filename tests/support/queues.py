"""The sample databases of job queues, which a machine may have beside its checkout."""

import os
from typing import Any

import asyncpg
import orjson
import pytest

from tests.support.trace import FOLDER

QUEUES = FOLDER / "queues"
ABSENT = not QUEUES.exists() and not os.environ.get("CI")

needs_queues = pytest.mark.skipif(ABSENT, reason=f"{QUEUES.name} is not on this machine")

# Folders of samples, with the kinds of their queues.
SAMPLES = {
    "procrastinate": "procrastinate",
    "river": "river",
    "oban": "oban",
    "goodjob": "good_job",
    "solidqueue": "solid_queue",
    "pgboss": "pg_boss",
    "graphile": "graphile_worker",
    "djtasks": "django_tasks",
}


def expected(sample: str) -> Any:
    """Read what Joblens should answer of a sample."""
    return orjson.loads((QUEUES / sample / "expected.json").read_bytes())


async def restore(url: str, sample: str) -> None:
    """Load a sample into an empty database."""
    await execute(url, (QUEUES / sample / "dump.sql").read_text())


async def execute(url: str, script: str) -> None:
    """Run statements as the owner."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()
