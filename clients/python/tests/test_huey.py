"""Huey: a real consumer and its threads, its signals, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")
AGAIN = (*FAILED, "QUEUED 1", "RUNNING 2")
WORKER = ("-m", "huey.bin.huey_consumer", "huey_app.huey", "-w", "2", "-q", "-d", "0.05")


@pytest.fixture(scope="module", params=["thread", "process"])
async def shop(
    request: pytest.FixtureRequest, ledger: Ledger, environment: dict[str, str]
) -> AsyncIterator[Program]:
    """A producer, whose tasks a consumer runs."""
    async with (
        running("huey", *WORKER, "-k", request.param, **environment) as worker,
        running("huey", "-m", "ask", "huey_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("add(1, y=2).id"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "huey", "isReadOnly": True}
    assert (job["type"], job["queue"], job["priority"]) == ("huey_app.add", "mail", 3)
    assert (job["payload"], job["result"]) == ({"args": [1], "kwargs": {"y": 2}}, 3)
    assert job["maxAttempts"] == 1
    assert job["worker"]


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("broken().id"), *FAILED, "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "huey_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await shop.ask(f"flaky({str(tmp_path / 'a')!r}).id")
    await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    job = await ledger.told(await shop.ask("always().id"), *AGAIN, "FAILED 2", "DEAD_LETTER 2")
    assert (job["maxAttempts"], job["scheduledAt"] is None) == (2, False)
    job = await ledger.told(
        await shop.ask(f"again({str(tmp_path / 'b')!r}).id"), *AGAIN, "SUCCEEDED 2"
    )
    assert job["lastErrorCode"] == "RetryTask"


async def test_a_delay(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("add.schedule((1, 1), delay=1).id"), *RUN_ONCE)
    assert job["scheduledAt"] is not None


async def test_dropped(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("(lambda r: (r.revoke(), r.id)[1])(add.schedule((1, 1), delay=1))")
    job = await ledger.told(id_, "QUEUED 0", "CANCELED 0")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "revoked"
    job = await ledger.told(
        await shop.ask("huey.enqueue(add.s(1, 1, expires=past())).id"), "QUEUED 0", "CANCELED 0"
    )
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "expired"
    await ledger.told(await shop.ask("unwanted().id"), "QUEUED 0", "RUNNING 1", "CANCELED 1")


async def test_locked(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "go"
    first = await shop.ask(f"locked({str(path)!r}).id")
    await ledger.told(first, "QUEUED 0", "RUNNING 1")
    job = await ledger.told(await shop.ask(f"locked({str(path)!r}).id"), *FAILED, "DEAD_LETTER 1")
    assert job["lastErrorCode"] == "huey.exceptions.TaskLockedException"
    path.touch()
    await ledger.told(first, *RUN_ONCE)


async def test_a_pipeline(shop: Program, ledger: Ledger) -> None:
    ids = await shop.ask("[r.id for r in huey.enqueue(add.s(1, 1).then(add, 2))]")
    jobs = [await ledger.told(id_, *RUN_ONCE) for id_ in ids]
    assert jobs[1]["parent"] == {"externalId": ids[0]}


async def test_immediate(shop: Program, ledger: Ledger) -> None:
    await ledger.told(await shop.ask("at_once()"), *RUN_ONCE)
