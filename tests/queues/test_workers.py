"""Real queues with real workers, and the mirror beside them: the ledger tells what they saw.

Needs `make test-mirror`, which installs the queues of PyPI and npm into environments of their own.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from mirror.options import Way
from mirror.runner import Runner
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase, logical_cluster_url, logical_database
from tests.mirror.mirroring import engine_of, histories
from tests.mirror.test_kills import checkpoint_of
from tests.mirror.test_runner import add, running, until
from tests.support.checkout import ROOT
from tests.support.service import ORG

__all__ = ["logical_cluster_url", "logical_database"]

PYTHON = ROOT / ".venv" / "queues" / "bin" / "python"
WORKERS = Path(__file__).parent / "workers"
NODE = Path(__file__).parent / "node"
NODE_PROGRAM = NODE / "node_modules" / ".bin" / "node"
# The program of each worker, and the kind of its queue.
PROGRAMS = {
    "procrastinate": (PYTHON, WORKERS / "procrastinate_worker.py"),
    "pg_queuer": (PYTHON, WORKERS / "pgqueuer_worker.py"),
    "chancy": (PYTHON, WORKERS / "chancy_worker.py"),
    "django_tasks": (PYTHON, WORKERS / "django_worker.py"),
    "pg_boss": (NODE_PROGRAM, NODE / "pg_boss_worker.mjs"),
    "graphile_worker": (NODE_PROGRAM, NODE / "graphile_worker.mjs"),
}
# Of these a poll misses what happens between two: the ends after which the row of a job stays.
FORGETFUL = {"pg_boss": {"succeeded", "failed", "canceled"}, "graphile_worker": {"failed"}}
# Changes of status that workers do not see.
UNSEEN = {"queued", "dead_letter"}


@pytest.mark.parametrize("way", ["poll", "slot"])
@pytest.mark.parametrize("kind", PROGRAMS)
async def test_the_ledger_tells_what_the_worker_saw(
    kind: str, way: Way, fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    stays = FORGETFUL.get(kind) if way == "poll" else None
    async with worker_of(kind, queue_url) as worker, engine_of(ledger_url) as engine:
        await add(engine, queue_url, kind, way)
        async with running(Runner(engine, ledger_url, UUID(ORG), "shop")):
            # What happens before the mirror first looks leaves no trace in some queues.
            await until(lambda: checkpoint_of(engine, "shop"), bool)
            assert worker.stdin is not None
            worker.stdin.write(b"\n")
            seen = by_job(json.loads((await worker.communicate())[0].splitlines()[-1]))
            with suppress(TimeoutError):
                await until(
                    lambda: histories(ledger_url, "shop"),
                    lambda told: is_recorded(as_seen(told), seen, stays),
                )
            told = as_seen(await histories(ledger_url, "shop"))
            assert is_recorded(told, seen, stays), differences(told, seen)
    found = await histories(ledger_url, "shop")
    waiting = [job for job, history in found.items() if history == ["queued 0"]]
    assert len(waiting) == 1
    for job, history in found.items():
        attempts = [int(event.split()[1]) for event in history]
        assert attempts == sorted(attempts), job
        assert attempts[-1] == len({each for each in history if each.startswith("running")}), job
        if stays is not None:
            continue
        # But for the request to abort, each event is recorded once.
        assert len(history) - len(set(history)) <= (history[-1] == "canceled 1"), job


@asynccontextmanager
async def worker_of(
    kind: str, queue_url: str, *more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the program of a worker, which has made its tables then, and waits for a line."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAMS[kind],
        queue_url,
        *more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_recorded(
    told: dict[str, list[str]], seen: dict[str, list[str]], ends_that_stay: set[str] | None
) -> bool:
    """Whether all that was seen is recorded; or, of what is not kept, some, and each end that stays."""
    if ends_that_stay is None:
        return told == seen
    ends = {job: steps[-1] for job, steps in seen.items() if steps[-1] in ends_that_stay}
    return all(told.get(job, [""])[-1] == end for job, end in ends.items()) and all(
        is_part(steps, seen[job]) for job, steps in told.items()
    )


def is_part(steps: list[str], whole: list[str]) -> bool:
    """Whether these steps are among all of them, in their order."""
    rest = iter(whole)
    return all(step in rest for step in steps)


def differences(told: dict[str, list[str]], seen: dict[str, list[str]]) -> str:
    jobs = sorted(job for job in told | seen if told.get(job) != seen.get(job))
    return "\n".join(f"{job}: told {told.get(job)}, seen {seen.get(job)}" for job in jobs)


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
