"""How a process ends: every part is stopped, whatever becomes of another."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from resolvers.live.hub import Hub
from server.app import create_app
from server.auth.revocation import OpenConnections
from server.auth.token_auth import TokenAuthenticator
from server.limits.admission import AdmissionControl
from server.readiness import Readiness
from server.settings import Settings

PARTS: list[tuple[type, str]] = [
    (OpenConnections, "stop"),
    (Hub, "stop"),
    (TokenAuthenticator, "stop"),
    (Readiness, "stop"),
    (AdmissionControl, "close"),
    (AsyncEngine, "dispose"),
]


class DefectError(Exception):
    pass


class Watch(logging.Handler):
    """Which parts were stopped, and what was logged of that; those in `failing` fail at it."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: list[type] = []
        self.logged: list[str] = []
        self.failing: dict[type, type[BaseException]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.logged.append(str(record.msg))

    def wrap(self, part: type, stop: Any) -> Any:
        async def stop_and_note(*args: Any) -> None:
            await stop(*args)
            self.stopped.append(part)
            if part in self.failing:
                raise self.failing[part]

        return stop_and_note


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch()
    for part, stop in PARTS:
        monkeypatch.setattr(part, stop, watch.wrap(part, getattr(part, stop)))
    logger = logging.getLogger("joblens.state")
    logger.addHandler(watch)
    yield watch
    logger.removeHandler(watch)


@pytest.fixture
def app(database_url: str) -> Starlette:
    # What sums events, and what prunes, has an engine of its own.
    given = {
        "DATABASE_URL": database_url,
        "TALLY_INTERVAL_SECONDS": "0",
        "PRUNE_INTERVAL_SECONDS": "0",
    }
    return create_app(Settings.read({f"JOBLENS_{name}": value for name, value in given.items()}))


ALL = [part for part, _ in PARTS]


@pytest.mark.parametrize("failing", [*([part] for part in ALL), ALL])
async def test_each_part_is_stopped_though_another_fails(
    app: Starlette, watch: Watch, failing: list[type]
) -> None:
    watch.failing = dict.fromkeys(failing, DefectError)
    async with app.router.lifespan_context(app):
        pass
    assert watch.stopped == ALL
    assert len(watch.logged) == len(failing)
    assert all("cannot stop" in logged for logged in watch.logged)


async def test_each_part_is_stopped_though_it_is_cancelled(app: Starlette, watch: Watch) -> None:
    watch.failing = dict.fromkeys(ALL, asyncio.CancelledError)
    with pytest.raises(asyncio.CancelledError):
        async with app.router.lifespan_context(app):
            pass
    assert watch.stopped == ALL


async def test_each_part_is_stopped_whatever_ended_the_process(
    app: Starlette, watch: Watch
) -> None:
    async def run() -> None:
        async with app.router.lifespan_context(app):
            raise DefectError

    with pytest.raises(DefectError):
        await run()
    assert watch.stopped == ALL
