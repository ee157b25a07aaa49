"""The pool of an engine's connections, which request sessions wait for in turns.

It also has what its engine shares with all transactions: the notifier.
"""

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.util import await_only

from db.fair_queue import FairQueue
from db.notifier import Notifier

# Called when a statement has ended, with its text, which has no values; when it began, by
# `perf_counter`; and its error or None.
StatementEnded = Callable[[Connection, str, float, BaseException | None], None]


class Opening:
    """Opens a connection once it is awaited. SQLAlchemy drops it if it cannot wait."""

    def __init__(self, connect: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._connect = connect

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._connect().__await__()


class FairPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool. Request sessions wait for a connection in `queue`, not in the pool."""

    # Log under the namespace of SQLAlchemy's pools.
    _sqla_logger_namespace = "sqlalchemy.pool.FairPool"

    def __init__(
        self, creator: Any, pool_size: int = 5, max_overflow: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(creator, pool_size=pool_size, max_overflow=max_overflow, **kwargs)
        self.queue = FairQueue(pool_size + max_overflow)
        # Sends notifications after commits; None: they are sent within transactions.
        self.notifier: Notifier | None = None
        # Gets the seconds that a request session waited for a connection with its transaction.
        self.on_wait: Callable[[float], None] | None = None
        # Gets the statements of db.statements; see db.observation.
        self.on_statement: StatementEnded | None = None

    def discard_older(self, lost: PoolProxiedConnection) -> None:
        """Close connections that are at most as old as a lost one when they are next taken."""
        self._invalidate(lost, _checkin=False)


def notifier_of(engine: AsyncEngine) -> Notifier | None:
    """Get what sends the engine's notifications after commits, if it does not send them within."""
    pool = engine.pool
    return pool.notifier if isinstance(pool, FairPool) else None


def notify_after_commits(engine: AsyncEngine, notifier: Notifier) -> None:
    """Leave the notifications of the engine's transactions to a notifier, which ends with it."""

    def attach(_engine: Any) -> None:
        # Disposing of an engine replaces its pool.
        pool = engine.pool
        assert isinstance(pool, FairPool)
        pool.notifier = notifier

    def stop(_engine: Any) -> None:
        await_only(notifier.stop())
        attach(_engine)

    attach(engine)
    event.listen(engine.sync_engine, "engine_disposed", stop)
