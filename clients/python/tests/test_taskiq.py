"""Taskiq: real workers on a stream of Redis, what their middleware gets, and what Joblens has."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from clients.python.tests.support import Ledger, Program, history, running, until

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")
AGAIN = (*FAILED, "QUEUED 1", "RUNNING 2")
WORKER = ("-m", "taskiq", "worker", "taskiq_app:broker", "--workers", "1", "--log-level", "ERROR")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose tasks a worker runs."""
    async with (
        # Not asked to end: it goes on reading its stream for as long as nothing comes.
        running("taskiq", *WORKER, **environment),
        running("taskiq", "-m", "ask", "taskiq_app", **environment) as producer,
    ):
        yield producer


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "add, 1, 2"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "taskiq", "isReadOnly": True}
    assert (job["type"], job["queue"], job["maxAttempts"]) == ("taskiq_app:add", "mail", 1)
    assert (job["payload"], job["result"]) == ({"args": [1, 2], "kwargs": {}}, 3)
    assert job["worker"]
    await ledger.told(await send(shop, "add_slowly, 1, 2"), *RUN_ONCE)


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "broken"), *FAILED, "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "taskiq_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await send(shop, f"flaky, {str(tmp_path / 'ran')!r}")
    await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    job = await ledger.told(await send(shop, "always"), *AGAIN, "FAILED 2", "DEAD_LETTER 2")
    assert job["maxAttempts"] == 2


async def test_a_task_of_a_task(shop: Program, ledger: Ledger) -> None:
    id_ = await send(shop, "parent")
    child = (await ledger.told(id_, *RUN_ONCE))["result"]
    job = await ledger.told(str(UUID(child)), *RUN_ONCE)
    assert job["parent"] == {"externalId": id_}


async def test_a_worker_that_was_killed(
    ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    risky = environment | {"QUEUE": "risky"}
    async with running("taskiq", "-m", "ask", "taskiq_app", **risky) as producer:
        id_ = await send(producer, f"killed_once, {str(tmp_path / 'ran')!r}")
        async with running("taskiq", *WORKER, **risky) as worker:
            await worker.process.wait()
        lost = ["QUEUED 0", "RUNNING 1", "QUEUED 1?", "RUNNING 2", "SUCCEEDED 2"]

        async def is_again() -> bool:
            # The broker looks for messages of lost workers when it has got another one.
            await send(producer, "add, 1, 1")
            return history(await ledger.find(id_)) == lost

        async with running("taskiq", *WORKER, **risky):
            await ledger.told(id_, "QUEUED 0", "RUNNING 1")
            await until(is_again)
        await ledger.told(id_, *lost)


async def send(shop: Program, given: str) -> str:
    return str(UUID(await shop.ask(f"send({given})")))
