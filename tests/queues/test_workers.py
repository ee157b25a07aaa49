"""Real queues with real workers, and the mirror beside them: the ledger tells what they saw.

Needs `make test-mirror`, which installs the queues into an environment of their own.
"""

import asyncio
import json
import os
from pathlib import Path
from uuid import UUID

import pytest

from mirror.runner import Runner
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase, logical_cluster_url, logical_database
from tests.mirror.mirroring import engine_of, histories
from tests.mirror.test_runner import add, running, until
from tests.support.checkout import ROOT
from tests.support.service import ORG

__all__ = ["logical_cluster_url", "logical_database"]

PYTHON = ROOT / ".venv" / "queues" / "bin" / "python"
WORKERS = Path(__file__).parent / "workers"
# What a worker sees of a run, and what the ledger then has.
KINDS = {
    "procrastinate": "procrastinate",
    "pgqueuer": "pg_queuer",
    "chancy": "chancy",
    "django": "django_tasks",
}
# Changes of status that workers do not see.
UNSEEN = {"queued", "dead_letter"}


@pytest.mark.parametrize("way", ["poll", "slot"])
@pytest.mark.parametrize("worker", KINDS)
async def test_the_ledger_tells_what_the_worker_saw(
    worker: str, way: str, fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        WORKERS / f"{worker}_worker.py",
        queue_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    async with engine_of(ledger_url) as engine:
        await add(engine, queue_url, KINDS[worker], way)
        async with running(Runner(engine, ledger_url, UUID(ORG), "shop")):
            process.stdin.write(b"\n")
            seen = by_job(json.loads((await process.communicate())[0].splitlines()[-1]))
            await until(lambda: histories(ledger_url, "shop"), lambda found: as_seen(found) == seen)
    found = await histories(ledger_url, "shop")
    waiting = [job for job, history in found.items() if history == ["queued 0"]]
    assert len(waiting) == 1
    for job, history in found.items():
        attempts = [int(event.split()[1]) for event in history]
        assert attempts == sorted(attempts), job
        assert attempts[-1] == len({each for each in history if each.startswith("running")}), job
        # But for the request to abort, each event is told once.
        assert len(history) - len(set(history)) <= (history[-1] == "canceled 1"), job


def by_job(seen: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job, what in seen:
        found.setdefault(job, []).append(what)
    return found


def as_seen(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out what workers do not see, and notes of a run that goes on."""
    told: dict[str, list[str]] = {}
    for job, history in found.items():
        steps = [event.split()[0] for event in dict.fromkeys(history)]
        if kept := [step for step in steps if step not in UNSEEN]:
            told[job] = kept
    return told
