"""A read replica, and up to which moment and position it has what the primary has.

Both are known from samples: the primary's position is read, and is noted with the time before. Once
the replica has replayed that position, it has all that was committed before that time. So an idle
primary causes no lag, and no clock but this process's matters.
"""

import asyncio
import re
from collections import deque
from contextlib import suppress
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import DATABASE_ERRORS, DatabaseUnavailableError, StatementTimeoutError
from db.engine import Scope
from db.request_session import RequestSession

SAMPLE_SECONDS = 0.5
SAMPLE_TIMEOUT_SECONDS = 5.0
# While the replica has replayed none of them: half a minute's.
MAX_SAMPLES = 60
# After the header of a page or of a segment there is no record yet, so nothing to replay.
PAGE_BYTES, PAGE_HEADERS = 8192, (24, 40)
KEY = "replica"
POSITION = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_WRITTEN = text("SELECT CAST(pg_current_wal_insert_lsn() AS text)")
_REPLAYED = text("SELECT CAST(pg_last_wal_replay_lsn() AS text)")
_ERRORS = (*DATABASE_ERRORS, DatabaseUnavailableError, StatementTimeoutError)

log = structlog.get_logger("joblens.replica")


def parse_position(position: str) -> int | None:
    """Parse a position in the write-ahead log, such as `16/B374D848`; None if it is none."""
    if POSITION.fullmatch(position) is None:
        return None
    high, low = (int(part, 16) for part in position.split("/"))
    return (high << 32) + low


async def read_position(engine: AsyncEngine, org_id: UUID) -> str | None:
    """Get a position of the primary up to which all that was committed by now is; None: unknown."""
    try:
        return await _scalar(engine, org_id, _WRITTEN)
    except _ERRORS:
        return None


class Replica:
    """Samples a replica from `start` to `stop`, and knows for which queries it has enough.

    `max_lag_seconds`: of a replica that is used at all. `org_id`: of sampling transactions, which
    read no table.
    """

    def __init__(
        self, primary: AsyncEngine, engine: AsyncEngine, org_id: UUID, max_lag_seconds: float
    ) -> None:
        self.engine = engine
        self._primary, self._org_id = primary, org_id
        self._max_lag_seconds = max_lag_seconds
        self._samples: deque[tuple[float, int]] = deque(maxlen=MAX_SAMPLES)
        # All that was committed before this time has been replayed; None: not known.
        self._has_until: float | None = None
        self._replayed = 0
        self._is_failing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def lag_seconds(self) -> float | None:
        """How long ago that was committed which the replica lacks; None: it cannot be used."""
        if self._has_until is None:
            return None
        # Half a second of this is the time between samples.
        return max(0.0, monotonic() - self._has_until)

    @property
    def is_usable(self) -> bool:
        """Whether queries may be sent to it."""
        lag = self.lag_seconds
        return lag is not None and lag <= self._max_lag_seconds

    def has(self, since: float | None, position: int | None) -> bool:
        """Return whether it is usable and has what was committed by a time and up to a position.

        `since`: of the monotonic clock. None stands for anything.
        """
        return (
            self.is_usable
            and (since is None or since < (self._has_until or 0.0))
            and (position is None or position <= self._replayed)
        )

    def distrust(self) -> None:
        """Do not use it until it has been sampled again: a query on it failed."""
        self._has_until = None
        self._samples.clear()

    def start(self) -> None:
        """Start to sample."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop, and close the connections to the replica."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.engine.dispose()

    async def sample(self) -> None:
        """Compare the replica with the primary once. Raises DATABASE_ERRORS and those of sessions.

        While the primary is away, the replica has all that it can have: it stays usable.
        """
        began = monotonic()
        try:
            written = await _scalar(self._primary, self._org_id, _WRITTEN)
        except _ERRORS:
            written = None
        replayed = parse_position(await _scalar(self.engine, self._org_id, _REPLAYED) or "")
        if replayed is None:
            raise NotAReplicaError("the server of JOBLENS_REPLICA_URL is not a standby")
        if written is not None and (position := parse_position(written)) is not None:
            self._samples.append((began, _before_header(position)))
        self._replayed = replayed
        while self._samples and self._samples[0][1] <= replayed:
            self._has_until, _ = self._samples.popleft()

    async def _run(self) -> None:
        while True:
            try:
                await self.sample()
                if self._is_failing:
                    log.info("the replica answers again")
                self._is_failing = False
            except Exception as error:  # noqa: BLE001 - any error is retried
                self.distrust()
                if not self._is_failing:
                    log.warning("the replica is not used", reason=type(error).__name__)
                self._is_failing = True
            await asyncio.sleep(SAMPLE_SECONDS)


class NotAReplicaError(Exception):
    """The server is not a standby."""


def _before_header(position: int) -> int:
    offset = position % PAGE_BYTES
    return position - offset if offset in PAGE_HEADERS else position


async def _scalar(engine: AsyncEngine, org_id: UUID, statement: TextClause) -> str | None:
    async with (
        RequestSession(engine, Scope(org_id, SAMPLE_TIMEOUT_SECONDS), KEY) as session,
        session.use() as begun,
    ):
        found: str | None = (await begun.execute(statement)).scalar_one()
    return found
