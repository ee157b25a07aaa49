"""Dramatiq: a real worker and its threads, what its middleware gets, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
WORKER = ("-m", "dramatiq", "dramatiq_app", "--processes", "1", "--threads", "2", "--skip-logging")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose messages a worker runs."""
    async with (
        running("dramatiq", *WORKER, "--queues", "mail", "default", **environment) as worker,
        running("dramatiq", "-m", "ask", "dramatiq_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("add.send(1, y=2).message_id"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "dramatiq", "isReadOnly": True}
    assert (job["type"], job["queue"], job["priority"], job["maxAttempts"]) == (
        "add",
        "mail",
        -3,
        21,
    )
    assert (job["payload"], job["result"]) == ({"args": [1], "kwargs": {"y": 2}}, 3)
    assert job["worker"]


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("broken.send().message_id")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "FAILED 1", "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "dramatiq_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    failed = ("QUEUED 0", "RUNNING 1", "FAILED 1", "QUEUED 1", "RUNNING 2")
    id_ = await shop.ask(f"flaky.send({str(tmp_path / 'ran')!r}).message_id")
    job = await ledger.told(id_, *failed, "SUCCEEDED 2")
    assert job["scheduledAt"] is not None
    id_ = await shop.ask("always.send().message_id")
    job = await ledger.told(id_, *failed, "FAILED 2", "DEAD_LETTER 2")
    assert (job["lastErrorCode"], job["maxAttempts"]) == ("ConnectionError", 2)


async def test_a_delay(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("add.send_with_options(args=(1, 1), delay=200).message_id")
    job = await ledger.told(id_, *RUN_ONCE)
    assert (job["queue"], job["scheduledAt"] is None) == ("mail", False)


async def test_too_old(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("aged.send_with_options(delay=200).message_id")
    job = await ledger.told(id_, "QUEUED 0", "CANCELED 0")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "expired"


async def test_a_pipeline(shop: Program, ledger: Ledger) -> None:
    ids = await shop.ask(
        "[m.message_id for m in pipeline([add.message(1, 2), add.message(3)]).run().messages]"
    )
    jobs = [await ledger.told(id_, *RUN_ONCE) for id_ in ids]
    assert jobs[1]["result"] == 6
    assert jobs[1]["parent"] == {"externalId": ids[0]}


async def test_a_worker_that_was_killed(
    shop: Program, ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    id_ = await shop.ask(f"killed_once.send({str(tmp_path / 'ran')!r}).message_id")
    queues = ("--queues", "risky")
    async with running("dramatiq", *WORKER, *queues, **environment) as worker:
        await worker.process.wait()
    async with running("dramatiq", *WORKER, *queues, **environment) as worker:
        await ledger.told(id_, "QUEUED 0", "RUNNING 1", "QUEUED 1?", "RUNNING 2", "SUCCEEDED 2")
        await worker.stop()


async def test_an_unknown_actor(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("send_unknown()")
    job = await ledger.told(id_, "QUEUED 0", "DEAD_LETTER 0")
    assert job["lastErrorCode"] == "dramatiq.errors.ActorNotFound"
