"""What has not been sent outlives a killed process, and is sent by another one of its source."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from clients.python.tests.support import until
from clients.python.tests.test_recorder import Joblens, fact, ids, joblens, memory

from joblens_client import Fact, Recorder, Status, sender

__all__ = ["joblens", "memory"]


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often for what others left."""
    monkeypatch.setattr(sender, "_ADOPT_SECONDS", 0.05)


@pytest.fixture
def nowhere() -> str:
    """Where nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def in_a_process(run: Callable[[], None]) -> None:
    """Run a function in a forked process, which kills itself then."""
    if (pid := os.fork()) == 0:
        try:
            run()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def files(memory: Path) -> list[Path]:
    return sorted(memory.glob("*.facts")) if memory.exists() else []


async def arrived(joblens: Joblens, *expected: str) -> None:
    async def have() -> bool:
        return sorted(set(ids(joblens))) == sorted(expected)

    await until(have)


async def test_what_a_killed_process_left_is_sent(joblens: Joblens, memory: Path) -> None:
    joblens.status = 503
    recorder = Recorder(joblens.url, None, "s")

    def run() -> None:
        for number in range(1_200):
            recorder.record(fact(f"lost {number}", payload={"x": "y" * 500}))
        recorder.record(fact("start"), wait=True)

    in_a_process(run)
    assert len(files(memory)) == 3
    assert {each.stat().st_mode & 0o777 for each in files(memory)} == {0o600}
    assert memory.stat().st_mode & 0o777 == 0o700
    joblens.status = 200
    joblens.taken.clear()
    recorder.record(fact("own"))
    await arrived(joblens, "own", "start", *(f"lost {number}" for number in range(1_200)))
    assert await asyncio.to_thread(recorder.flush, 60)
    assert len(files(memory)) == 1
    assert recorder.stats.sent == 1_202


async def test_only_what_is_left_of_the_same_source(
    joblens: Joblens, memory: Path, nowhere: str
) -> None:
    """Neither what a living process keeps, nor what belongs to another ledger."""
    living = Recorder(nowhere, None, "s")
    living.record(fact("living"))
    in_a_process(lambda: Recorder(joblens.url, "another token", "s").record(fact("another")))
    assert len(files(memory)) == 2
    recorder = Recorder(joblens.url, None, "s")
    recorder.record(fact("own"))
    await arrived(joblens, "own")
    in_a_process(lambda: recorder.record(fact("left")))
    recorder.record(fact("own"))
    await arrived(joblens, "own", "left")
    assert living.stats.waiting == 1


async def test_what_is_left_for_too_long_is_dropped(joblens: Joblens, memory: Path) -> None:
    recorder = Recorder(joblens.url, None, "s", max_seconds=60)
    in_a_process(lambda: recorder.record(fact("left")))
    (left,) = files(memory)
    os.utime(left, (0, 0))
    recorder.record(fact("own"))

    async def is_removed() -> bool:
        return not left.exists()

    await until(is_removed)
    assert await asyncio.to_thread(recorder.flush, 60)
    assert (ids(joblens), recorder.stats.dropped) == (["own"], 1)


async def test_a_line_that_was_cut_short(joblens: Joblens, memory: Path) -> None:
    recorder = Recorder(joblens.url, None, "s")
    in_a_process(lambda: recorder.record(fact("left")))
    with files(memory)[0].open("ab") as file:
        file.write(b'{"externalId":"cu')
    recorder.record(fact("own"))
    await arrived(joblens, "own", "left")
    assert recorder.stats.rejected == 0


@pytest.mark.parametrize("mode", [0o755, None])
def test_without_a_folder_of_its_own_a_start_is_waited_for(
    joblens: Joblens, tmp_path: Path, mode: int | None
) -> None:
    if mode is None:
        folder = tmp_path / "missing"
    else:
        folder = tmp_path  # that of another user, or one that others can read
        (folder / f"joblens-client-{os.getuid()}").mkdir(mode)
    recorder = Recorder(joblens.url, None, "s", spool_dir=str(folder), start_seconds=60)
    recorder.record(Fact("a", Status.RUNNING), wait=True)
    assert ids(joblens) == ["a"]


def test_a_full_disk(joblens: Joblens, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        return len(data) - 1

    recorder = Recorder(joblens.url, None, "s", start_seconds=60)
    with monkeypatch.context() as patched:
        patched.setattr("joblens_client.spool.os.write", full)
        recorder.record(fact("a"))
    recorder.record(Fact("b", Status.RUNNING), wait=True)
    assert ids(joblens) == ["a", "b"]
