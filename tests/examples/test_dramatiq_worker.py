"""The Dramatiq example, on Dramatiq's StubBroker with a real Worker and a real database."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO

from examples.dramatiq_worker import recording
from joblens import BackoffPolicy, JobRepository, JobStatus, dispose, session_scope
from tests.support.patience import PATIENCE_SECONDS

AT_ONCE = BackoffPolicy.NONE


@pytest.fixture
async def broker(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StubBroker]:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)
    monkeypatch.setattr(recording, "ORG_ID", uuid4())
    broker = StubBroker(fail_fast_default=False)
    broker.add_middleware(AsyncIO())
    broker.add_middleware(recording.CloseLedger())
    broker.emit_after("process_boot")
    dramatiq.set_broker(broker)
    yield broker
    broker.close()
    await dispose()


@pytest.fixture
def tasks(broker: StubBroker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example's actors, declared anew for this test's broker."""
    name = "examples.dramatiq_worker.tasks"
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


async def work_off(broker: StubBroker) -> None:
    """Run a worker until its queue is empty."""

    def run() -> None:
        worker = dramatiq.Worker(broker, worker_timeout=10, worker_threads=2)
        worker.start()
        try:
            broker.join("default", timeout=PATIENCE_SECONDS * 1000)
        finally:
            worker.stop()

    await asyncio.to_thread(run)


async def life(job_id: UUID) -> tuple[Any, list[str]]:
    async with session_scope(recording.ORG_ID) as session:
        found = await JobRepository(session).get_job_with_events(job_id)
    assert found is not None
    assert [event.seq for event in found.events] == list(range(1, len(found.events) + 1))
    return found.job, [event.next_status for event in found.events]


async def test_a_success(broker: StubBroker, tasks: Any, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("three little words")
    first = await tasks.submit(str(text), key="once")
    again = await tasks.submit(str(text), key="once")
    assert (again.created, again.job.id) == (False, first.job.id)
    await work_off(broker)
    job, statuses = await life(first.job.id)
    assert statuses == ["queued", "running", "succeeded"]
    assert (job.result, job.attempt) == ({"words": 3}, 1)
    assert not broker.dead_letters


async def test_a_failure_is_retried_until_attempts_end(
    broker: StubBroker, tasks: Any, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing")
    made = await tasks.submit(missing, max_attempts=2, backoff_policy=AT_ONCE)
    await work_off(broker)
    job, statuses = await life(made.job.id)
    assert statuses == ["queued", "running", "failed", "queued", "running", "failed", "dead_letter"]
    assert (job.last_error_code, job.attempt) == ("FileNotFoundError", 2)
    assert missing in job.last_error_message
    assert len(broker.dead_letters) == 1


@pytest.mark.parametrize(
    ("result", "error", "code"),
    [
        (None, RuntimeError("x" * 20_000), "RuntimeError"),
        (None, RuntimeError("half \ud83d, nul \0"), "RuntimeError"),
        (None, type("É" * 300, (Exception,), {})(), "É" * 5),
        ("x" * 300_000, None, "InvalidJobError"),
        ({1, 2}, None, "InvalidJobError"),
        (float("nan"), None, "InvalidJobError"),
    ],
)
async def test_no_failure_is_lost(
    broker: StubBroker,
    tasks: Any,
    monkeypatch: pytest.MonkeyPatch,
    result: Any,
    error: Exception | None,
    code: str,
) -> None:
    async def end(_job: Any) -> Any:
        if error is not None:
            raise error
        return result

    monkeypatch.setattr(tasks, "_count_words", end)
    made = await tasks.submit("any", max_attempts=1)
    await work_off(broker)
    job, statuses = await life(made.job.id)
    assert statuses == ["queued", "running", "failed", "dead_letter"]
    assert job.last_error_code.startswith(code)


async def test_a_retry_succeeds_when_it_is_due(
    broker: StubBroker, tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    async def fail_at_first(job: Any) -> str:
        attempts.append(job.attempt)
        if job.attempt == 1:
            raise RuntimeError("not yet")
        return "done"

    monkeypatch.setattr(tasks, "_count_words", fail_at_first)
    made = await tasks.submit("any", backoff_policy=AT_ONCE)
    await work_off(broker)
    job, statuses = await life(made.job.id)
    assert statuses == ["queued", "running", "failed", "queued", "running", "succeeded"]
    assert (attempts, job.result) == ([1, 2], "done")


async def test_a_canceled_job_is_left_alone(broker: StubBroker, tasks: Any, tmp_path: Path) -> None:
    made = await tasks.submit(str(tmp_path / "missing"))
    async with session_scope(recording.ORG_ID) as session:
        await JobRepository(session).update_job_status(made.job.id, JobStatus.CANCELED)
    await work_off(broker)
    assert (await life(made.job.id))[1] == ["queued", "canceled"]
    assert not broker.dead_letters


async def test_a_job_canceled_while_it_runs_stays_canceled(
    broker: StubBroker, tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancel_meanwhile(job: Any) -> None:
        async with session_scope(recording.ORG_ID) as session:
            await JobRepository(session).update_job_status(job.id, JobStatus.CANCELED)

    monkeypatch.setattr(tasks, "_count_words", cancel_meanwhile)
    made = await tasks.submit("any")
    await work_off(broker)
    assert (await life(made.job.id))[1] == ["queued", "running", "canceled"]


@pytest.mark.parametrize("error", [None, RuntimeError("late")])
async def test_a_run_that_was_given_back_does_not_end_the_next(
    broker: StubBroker, tasks: Any, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    async def be_taken_for_dead(job: Any) -> None:
        async with session_scope(recording.ORG_ID) as session:
            repository = JobRepository(session)
            await repository.update_job_status(job.id, JobStatus.QUEUED, attempt=job.attempt)
            await repository.update_job_status(job.id, JobStatus.RUNNING)
        if error is not None:
            raise error

    monkeypatch.setattr(tasks, "_count_words", be_taken_for_dead)
    made = await tasks.submit("any")
    await work_off(broker)
    job, statuses = await life(made.job.id)
    assert statuses == ["queued", "running", "queued", "running"]
    assert job.attempt == 2


async def test_an_operators_retry_is_sent_again(
    broker: StubBroker, tasks: Any, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    made = await tasks.submit(str(text), max_attempts=1)
    await work_off(broker)
    text.write_text("now there is one")
    async with session_scope(recording.ORG_ID) as session:
        await JobRepository(session).update_job_status(
            made.job.id, JobStatus.QUEUED, by_operator=True
        )
    assert await tasks.send_due() == 1
    await work_off(broker)
    job, statuses = await life(made.job.id)
    assert statuses[-4:] == ["dead_letter", "queued", "running", "succeeded"]
    assert job.result == {"words": 4}
