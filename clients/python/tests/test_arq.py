"""arq: a real worker, its wrapped functions, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")
AGAIN = (*FAILED, "QUEUED 1", "RUNNING 2")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose jobs a worker runs."""
    async with (
        running("arq", "-m", "arq", "arq_app.WorkerSettings", **environment) as worker,
        running("arq", "-m", "ask", "arq_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "'add', 1, y=2"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "arq", "isReadOnly": True}
    assert (job["type"], job["queue"], job["maxAttempts"]) == ("add", "arq:queue", 2)
    assert (job["payload"], job["result"]) == ({"args": [1], "kwargs": {"y": 2}}, 3)
    assert job["worker"]


async def test_an_id_that_is_no_uuid(shop: Program, ledger: Ledger) -> None:
    await shop.ask("send('add', 1, 2, _job_id='sum-1')")
    await ledger.told("sum-1", *RUN_ONCE)


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await send(shop, "'broken'"), *FAILED, "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "arq_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    job = await ledger.told(
        await send(shop, f"'flaky', {str(tmp_path / 'ran')!r}"), *AGAIN, "SUCCEEDED 2"
    )
    assert job["lastErrorCode"] == "ConnectionError"
    assert job["scheduledAt"] is not None
    await ledger.told(await send(shop, "'always'"), *AGAIN, "FAILED 2", "DEAD_LETTER 2")


async def test_a_delay(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(
        await send(shop, "'add', 1, 1, _defer_by=timedelta(seconds=0.5)"), *RUN_ONCE
    )
    assert job["scheduledAt"] is not None


async def test_aborted(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await send(shop, f"'wait', {str(tmp_path / 'go')!r}")
    await ledger.told(id_, "QUEUED 0", "RUNNING 1")
    assert await shop.ask(f"abort({UUID(id_).hex!r})")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "CANCELED 1")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "aborted"


async def test_a_job_of_a_job(shop: Program, ledger: Ledger) -> None:
    id_ = await send(shop, "'parent'")
    child = (await ledger.told(id_, *RUN_ONCE))["result"]
    job = await ledger.told(str(UUID(child)), *RUN_ONCE)
    assert job["parent"] == {"externalId": id_}


async def test_too_slow_and_stopped_and_killed(
    shop: Program, ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    risky = environment | {"QUEUE": "risky", "TIMEOUT": "1"}
    slow = await send(shop, f"'wait', {str(tmp_path / 'slow')!r}, _queue_name='risky'")
    killed = await send(
        shop, f"'killed_once', {str(tmp_path / 'ran')!r}, _queue_name='risky', _defer_by=2.0"
    )
    worker = ("-m", "arq", "arq_app.WorkerSettings")
    async with running("arq", *worker, **risky) as first:
        job = await ledger.told(slow, *FAILED, "DEAD_LETTER 1")
        assert "TimeoutError" in job["lastErrorCode"]
        await first.process.wait()
    async with running("arq", *worker, **risky | {"TIMEOUT": "300"}) as second:
        lost = ("QUEUED 0", "RUNNING 1", "QUEUED 1?", "RUNNING 2", "SUCCEEDED 2")
        await ledger.told(killed, *lost)
        path = tmp_path / "stop"
        stopped = await send(shop, f"'wait', {str(path)!r}, _queue_name='risky'")
        await ledger.told(stopped, "QUEUED 0", "RUNNING 1")
        await second.stop()
    await ledger.told(stopped, "QUEUED 0", "RUNNING 1", "QUEUED 1")


async def send(shop: Program, given: str) -> str:
    return str(UUID(await shop.ask(f"send({given})")))
