"""How the command finds out that its worker processes have started."""

import threading

import pytest
import uvicorn
from uvicorn.supervisors.multiprocess import Process

from server.cli import uvicorn_server
from server.cli.uvicorn_server import is_ready
from tests.support.patience import PATIENCE_SECONDS


@pytest.fixture
def worker() -> Process:
    """The two ends of a worker, whose process is not started."""
    return Process(uvicorn.Config("none:none"), [])


def answer(worker: Process, *, with_: bool, questions: int) -> None:
    for _ in range(questions):
        worker.child_conn.recv()
        worker.child_conn.send(with_)


def test_answers_to_earlier_questions_do_not_count(
    worker: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is importing.
    assert [is_ready(worker) for _ in range(3)] == [False] * 3
    answer(worker, with_=False, questions=3)
    # It has started.
    monkeypatch.setattr(uvicorn_server, "READY_SECONDS", PATIENCE_SECONDS)
    started = threading.Thread(target=answer, args=[worker], kwargs={"with_": True, "questions": 1})
    started.start()
    assert is_ready(worker)
    started.join()


def test_a_worker_that_has_ended_is_not_ready(worker: Process) -> None:
    worker.child_conn.close()
    assert not is_ready(worker)
