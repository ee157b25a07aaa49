"""RQ: a real worker and its work horses, the replaced methods, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")
AGAIN = (*FAILED, "QUEUED 1", "RUNNING 2")
WORKER = ("-m", "rq.cli", "worker", "-c", "rq_app", "--with-scheduler", "--quiet")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose jobs a worker runs."""
    async with (
        running("rq", *WORKER, **environment) as worker,
        running("rq", "-m", "ask", "rq_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("queue.enqueue(add, 1, y=2).id"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "rq", "isReadOnly": True}
    assert (job["type"], job["queue"]) == ("rq_app.add", "mail")
    assert (job["payload"], job["result"]) == ({"args": [1], "kwargs": {"y": 2}}, 3)
    assert job["worker"]


async def test_ids_that_are_no_uuids(shop: Program, ledger: Ledger) -> None:
    await shop.ask("queue.enqueue(add, 1, 2, job_id='sum-1').id")
    await ledger.told("sum-1", *RUN_ONCE)


async def test_many_at_once(shop: Program, ledger: Ledger) -> None:
    ids = await shop.ask(
        "[j.id for j in queue.enqueue_many([Queue.prepare_data(add, (n, n)) for n in range(2)])]"
    )
    assert [(await ledger.told(id_, *RUN_ONCE))["result"] for id_ in ids] == [0, 2]


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("queue.enqueue(broken).id"), *FAILED, "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    assert "rq_app.py" in job["events"]["nodes"][2]["detail"]["traceback"]


@pytest.mark.parametrize("interval", ["0", "1"])
async def test_a_retry(shop: Program, ledger: Ledger, tmp_path: Path, interval: str) -> None:
    retry = f"retry=Retry(max=1, interval={interval})"
    id_ = await shop.ask(f"queue.enqueue(flaky, {str(tmp_path / 'ran')!r}, {retry}).id")
    job = await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    assert (job["maxAttempts"], job["scheduledAt"] is None) == (2, interval == "0")


async def test_a_retry_that_fails(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("queue.enqueue(broken, retry=Retry(max=1)).id")
    await ledger.told(id_, *AGAIN, "FAILED 2", "DEAD_LETTER 2")
    id_ = await shop.ask("queue.enqueue(again).id")
    job = await ledger.told(id_, *AGAIN, "FAILED 2", "DEAD_LETTER 2")
    assert job["lastErrorCode"] == "Retry"
    await shop.ask(f"job({id_!r}).requeue().id")
    await ledger.told(
        id_,
        *AGAIN,
        "FAILED 2",
        "DEAD_LETTER 2",
        "QUEUED 2",
        "RUNNING 3",
        "FAILED 3",
        "DEAD_LETTER 3",
    )


async def test_a_delay(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("queue.enqueue_at(later(seconds=1), add, 1, 1).id")
    job = await ledger.told(id_, *RUN_ONCE)
    assert job["scheduledAt"] is not None


async def test_canceled(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("queue.enqueue_at(later(hours=1), add, 1, 1).id")
    await shop.ask(f"job({id_!r}).cancel()")
    await ledger.told(id_, "QUEUED 0", "CANCELED 0")


async def test_stopped(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await shop.ask(f"queue.enqueue(wait, {str(tmp_path / 'go')!r}).id")
    await ledger.told(id_, "QUEUED 0", "RUNNING 1")
    await shop.ask(f"stop({id_!r})")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "CANCELED 1")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "stopped"


async def test_a_work_horse_that_was_killed(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("queue.enqueue(killed).id"), *FAILED, "DEAD_LETTER 1")
    assert job["lastErrorCode"] == "WorkHorseKilled"
    assert "signal 9" in job["lastErrorMessage"]


async def test_a_worker_that_was_killed(
    shop: Program, ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    id_ = await shop.ask(
        f"risky.enqueue(killed_once, {str(tmp_path / 'ran')!r}, retry=Retry(max=1)).id"
    )
    async with running("rq", *WORKER, "risky", **environment) as worker:
        await worker.process.wait()
    await shop.ask("clean_up()")
    async with running("rq", *WORKER, "risky", "--burst", **environment) as worker:
        await worker.process.wait()
    job = await ledger.told(id_, *AGAIN, "SUCCEEDED 2")
    assert job["lastErrorCode"] == "rq.exceptions.AbandonedJobError"


async def test_a_dependency(shop: Program, ledger: Ledger) -> None:
    ids = await shop.ask(
        "(lambda a: [a.id, queue.enqueue(add, 1, 2, depends_on=a).id])(queue.enqueue(add, 1, 1))"
    )
    jobs = [await ledger.told(id_, *RUN_ONCE) for id_ in ids]
    assert jobs[1]["parent"] == {"externalId": ids[0]}


async def test_a_queue_that_is_not_asynchronous(shop: Program, ledger: Ledger) -> None:
    await ledger.told(await shop.ask("at_once.enqueue(add, 1, 1).id"), *RUN_ONCE)
    await ledger.told(await shop.ask("at_once.enqueue(broken).id"), *FAILED, "DEAD_LETTER 1")
