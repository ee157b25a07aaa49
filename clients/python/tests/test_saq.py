"""SAQ: a real worker, the replaced methods of its queue, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")
AGAIN = (*FAILED, "QUEUED 1", "RUNNING 2")
WORKER = ("-m", "saq", "saq_app.settings", "--quiet")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose jobs a worker runs."""
    async with (
        running("saq", *WORKER, **environment) as worker,
        running("saq", "-m", "ask", "saq_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def send(shop: Program, function: str, **given: object) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    key, _ = await shop.ask(f"send({function!r}, {arguments})")
    return str(key)


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "add", x=1, y=2), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "saq", "isReadOnly": True}
    assert (job["type"], job["queue"], job["maxAttempts"]) == ("add", "mail", 1)
    assert (job["payload"], job["result"]) == ({"args": [], "kwargs": {"x": 1, "y": 2}}, 3)
    assert job["worker"]


async def test_a_key_that_is_used_again(shop: Program, ledger: Ledger) -> None:
    first, second = [await shop.ask("send('add', x=1, y=1, key='sum', ttl=-1)")], []
    await ledger.told(first[0][1], *RUN_ONCE)
    second = await shop.ask("send('add', x=1, y=1, key='sum', ttl=-1)")
    await ledger.told(second[1], *RUN_ONCE)


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "broken"), *FAILED, "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "saq_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await send(shop, "flaky", path=str(tmp_path / "a"), retries=2)
    await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    id_ = await send(shop, "flaky", path=str(tmp_path / "b"), retries=2, retry_delay=0.5)
    job = await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    assert job["scheduledAt"] is not None
    id_ = await send(shop, "broken", retries=2)
    await ledger.told(id_, *AGAIN, "FAILED 2", "DEAD_LETTER 2")


async def test_aborted(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    before = await send(shop, "add", x=1, y=1, scheduled=4_000_000_000)
    await shop.ask(f"abort({before!r})")
    running_ = await send(shop, "wait", path=str(tmp_path / "go"), timeout=0)
    await ledger.told(running_, "QUEUED 0", "RUNNING 1")
    await shop.ask(f"abort({running_!r})")
    job = await ledger.told(running_, "QUEUED 0", "RUNNING 1", "CANCELED 1")
    assert job["events"]["nodes"][-1]["detail"] == {
        "reason": "aborted",
        "error": "not wanted",
        "joblens": {"attempt": None},
    }


async def test_too_slow(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await send(shop, "wait", path=str(tmp_path / "go"), timeout=1)
    job = await ledger.told(id_, *FAILED, "DEAD_LETTER 1")
    assert "TimeoutError" in job["lastErrorCode"]


async def test_a_worker_that_was_killed(
    ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    risky = environment | {"QUEUE": "risky", "SWEEP": "5"}
    async with running("saq", "-m", "ask", "saq_app", **risky) as producer:
        async with running("saq", *WORKER, **risky) as worker:
            # SAQ sweeps when a worker starts, also a job that this worker has just taken and not
            # yet marked: such a job would be lost. So the worker is at work before it gets its job.
            first = await send(producer, "add", x=1, y=2)
            await ledger.told(first, *RUN_ONCE)
            given = {"retries": 3, "timeout": 1}
            id_ = await send(producer, "killed_once", path=str(tmp_path / "ran"), **given)
            await worker.process.wait()
        async with running("saq", *WORKER, **risky) as worker:
            job = await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
            assert job["lastErrorMessage"]
            await worker.stop()
