"""Celery: a real worker with children, its signals, and what Joblens has then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clients.python.tests.support import Ledger, Program, running

RUN_ONCE = ("QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
WORKER = ("-m", "celery", "-A", "celery_app", "worker", "-c", "2", "-l", "warning")


@pytest.fixture(scope="module")
async def shop(ledger: Ledger, environment: dict[str, str]) -> AsyncIterator[Program]:
    """A producer, whose jobs a worker runs."""
    async with (
        running("celery", *WORKER, **environment) as worker,
        running("celery", "-m", "ask", "celery_app", **environment) as producer,
    ):
        yield producer
        await worker.stop()


async def test_a_success(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("add.delay(1, y=2).id"), *RUN_ONCE)
    assert job["source"] == {"name": "shop", "kind": "celery", "isReadOnly": True}
    assert (job["type"], job["queue"], job["maxAttempts"]) == ("celery_app.add", "mail", 4)
    assert (job["payload"], job["result"]) == ({"args": [1], "kwargs": {"y": 2}}, 3)
    assert job["worker"].startswith("celery@")


async def test_hidden_arguments(shop: Program, ledger: Ledger) -> None:
    job = await ledger.told(await shop.ask("secret.delay('word').id"), *RUN_ONCE)
    assert (job["payload"], job["result"]) == ("hidden", None)


async def test_a_failure(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("broken.delay().id")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "FAILED 1", "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("ValueError", "no such customer")
    failed = job["events"]["nodes"][2]
    assert failed["detail"]["traceback"].endswith("ValueError: no such customer\n")
    assert "celery_app.py" in failed["detail"]["traceback"]


async def test_a_retry(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("flaky.delay('a').id")
    failed = ("QUEUED 0", "RUNNING 1", "FAILED 1", "QUEUED 1", "RUNNING 2")
    job = await ledger.told(id_, *failed, "SUCCEEDED 2")
    assert job["lastErrorCode"] == "ConnectionError"
    assert job["scheduledAt"] is not None
    id_ = await shop.ask("flaky.delay('b', lasting=True).id")
    job = await ledger.told(id_, *failed, "FAILED 2", "DEAD_LETTER 2")
    assert (job["lastErrorMessage"], job["maxAttempts"]) == ("refused", 2)


async def test_revoked_before_its_time(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("add.apply_async((1, 1), countdown=1).id")
    await shop.ask(f"app.control.revoke({id_!r})")
    job = await ledger.told(id_, "QUEUED 0", "CANCELED 0")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "revoked"
    assert job["scheduledAt"] is not None


async def test_expired(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("add.apply_async((1, 1), expires=-1).id")
    job = await ledger.told(id_, "QUEUED 0", "CANCELED 0")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "expired"


async def test_terminated(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await shop.ask(f"wait.delay({str(tmp_path / 'go')!r}).id")
    await ledger.told(id_, "QUEUED 0", "RUNNING 1")
    await shop.ask(f"app.control.revoke({id_!r}, terminate=True)")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "CANCELED 1")
    assert job["events"]["nodes"][-1]["detail"]["reason"] == "terminated"


async def test_a_child_that_was_killed(shop: Program, ledger: Ledger, tmp_path: Path) -> None:
    id_ = await shop.ask(f"killed_once.delay({str(tmp_path / 'ran')!r}).id")
    await ledger.told(id_, "QUEUED 0", "RUNNING 1", "QUEUED 1?", "RUNNING 2", "SUCCEEDED 2")
    id_ = await shop.ask("killed.delay().id")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "FAILED 1", "DEAD_LETTER 1")
    assert job["lastErrorCode"] == "billiard.exceptions.WorkerLostError"


async def test_a_worker_that_was_killed(
    shop: Program, ledger: Ledger, environment: dict[str, str], tmp_path: Path
) -> None:
    path = str(tmp_path / "ran")
    id_ = await shop.ask(f"worker_killed_once.apply_async(({path!r},), queue='risky').id")
    # The broker gives it to another one when it has not been acknowledged for so long.
    impatient = environment | {"VISIBILITY": "1"}
    async with running("celery", *WORKER, "-Q", "risky", **impatient) as worker:
        await worker.process.wait()
    async with running("celery", *WORKER, "-Q", "risky", **impatient) as worker:
        await ledger.told(id_, "QUEUED 0", "RUNNING 1", "QUEUED 1?", "RUNNING 2", "SUCCEEDED 2")
        await worker.stop()


async def test_a_chain(shop: Program, ledger: Ledger) -> None:
    ids = await shop.ask("(lambda r: [r.parent.parent.id, r.parent.id, r.id])"
                         "(chain(add.s(1, 2), add.s(3), add.s(4)).apply_async())")  # fmt: skip
    jobs = [await ledger.told(id_, *RUN_ONCE) for id_ in ids]
    assert [job["result"] for job in jobs] == [3, 6, 10]
    parents = [job["parent"] and job["parent"]["externalId"] for job in jobs]
    assert parents == [None, *ids[:2]]


async def test_a_chord_and_its_group(shop: Program, ledger: Ledger) -> None:
    body, group, *headers = await shop.ask(
        "(lambda r: [r.id, r.parent.id, *(c.id for c in r.parent.children)])"
        "(chord([add.s(1, 1), add.s(2, 2)])(total.s()))"
    )
    jobs = [await ledger.told(id_, *RUN_ONCE) for id_ in [body, *headers]]
    assert jobs[0]["result"] == 6
    assert [job["batch"] for job in jobs[1:]] == [{"name": group}] * 2
    assert jobs[0]["parent"]["externalId"] in headers


async def test_it_replaces_itself(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("replaced.delay().id")
    again = ("QUEUED 0", "RUNNING 1", "QUEUED 1", "RUNNING 2", "SUCCEEDED 2")
    job = await ledger.told(id_, *again)
    assert (job["type"], job["result"]) == ("celery_app.add", 5)


async def test_ends_that_celery_does_not_record(shop: Program, ledger: Ledger) -> None:
    await ledger.told(await shop.ask("ignored.delay().id"), "QUEUED 0", "RUNNING 1", "CANCELED 1")
    id_ = await shop.ask("rejected.delay().id")
    job = await ledger.told(id_, "QUEUED 0", "RUNNING 1", "FAILED 1", "DEAD_LETTER 1")
    assert (job["lastErrorCode"], job["lastErrorMessage"]) == ("Reject", "not mine")


async def test_an_unknown_task(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("app.send_task('nowhere').id")
    job = await ledger.told(id_, "QUEUED 0", "DEAD_LETTER 0")
    assert (job["type"], job["lastErrorCode"]) == ("nowhere", "NotRegistered")


async def test_eager(shop: Program, ledger: Ledger) -> None:
    id_ = await shop.ask("eagerly(add.s(1, 1))")
    job = await ledger.told(id_, "QUEUED 0?", *RUN_ONCE[1:])
    assert job["events"]["nodes"][1]["detail"]["eager"] is True
