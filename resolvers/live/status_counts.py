"""Counts by status under one filter, computed once for all of their subscribers."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.database_errors import StatementTimeoutError
from db.queries.aggregates import count_jobs_by_status
from db.statuses import JobStatus
from resolvers.counting import StatusCount, as_count
from resolvers.errors import QueryTimeoutError
from resolvers.live.feed import Read
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue

Counts = dict[JobStatus, int]

# Filters may depend on the time, and deletions leave no event: counts then change unnoticed.
RECOUNT_SECONDS = 60.0
# After a count that failed.
RETRY_SECONDS = 1.0

log = structlog.get_logger("joblens.live")


class StatusCountsFeed:
    """Recounts after changes, at most as often as the most frequent of its subscribers asks."""

    def __init__(
        self, org_id: UUID, read: Read, criteria: Callable[[datetime], JobCriteria | None]
    ) -> None:
        self._org_id = org_id
        self._read = read
        self._criteria = criteria
        now = datetime.now(UTC)
        self._depends_on_time = criteria(now) != criteria(now.replace(year=now.year - 1, day=1))
        self._queues: dict[SubscriberQueue, float] = {}
        self._latest: LiveEvent | None = None
        self._counts: Counts | None = None
        self._is_stale = True
        self._changed = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start counting."""
        # It outlives the request that needs it first, and is of many others.
        self._task = asyncio.create_task(self._run(), context=Context())

    def wake(self) -> None:
        """Recount: something may have changed."""
        self._is_stale = True
        self._changed.set()

    def subscribe(self, queue: SubscriberQueue, every_seconds: float) -> None:
        """Put the counts into this queue, now and whenever they change."""
        self._queues[queue] = every_seconds
        if self._latest is not None:
            queue.put([self._latest])
        self._changed.set()

    def unsubscribe(self, queue: SubscriberQueue) -> None:
        """Put nothing more into this queue."""
        self._queues.pop(queue, None)

    async def close(self) -> None:
        """Stop, and wait for the count that is running."""
        self._closed = True
        self._changed.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            self._is_stale = False
            counted_at = loop.time()
            succeeded = await self._count()
            while not self._closed:
                pace = min(self._queues.values(), default=RECOUNT_SECONDS)
                if not succeeded:
                    pace = max(pace, RETRY_SECONDS)
                is_due = self._is_stale or self._depends_on_time or not succeeded
                wake_at = counted_at + (pace if is_due else max(pace, RECOUNT_SECONDS))
                if loop.time() >= wake_at:
                    break
                self._changed.clear()
                try:
                    async with asyncio.timeout_at(wake_at):
                        await self._changed.wait()
                except TimeoutError:
                    pass

    async def _count(self) -> bool:
        async def read(session: AsyncSession) -> Counts:
            criteria = self._criteria(datetime.now(UTC))
            return await count_jobs_by_status(session, self._org_id, criteria, None)

        try:
            counts = await self._read(read)
        except StatementTimeoutError:
            for queue in self._queues:
                queue.end(QueryTimeoutError())
            return False
        except Exception as error:  # noqa: BLE001 - subscribers wait for the next count
            log.warning("cannot count jobs by status", reason=type(error).__name__)
            return False
        if counts != self._counts:
            self._counts = counts
            value = [StatusCount(each, as_count(counts.get(each, 0), None)) for each in JobStatus]
            self._latest = LiveEvent(value)
            for queue in self._queues:
                queue.put([self._latest])
        return True
