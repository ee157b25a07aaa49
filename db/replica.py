"""A read replica, and up to which moment and position it has what the primary has.

Both are known from samples: the primary's position is read, and is noted with the time before. Once
the replica has replayed that position, it has all that was committed before that time. So an idle
primary causes no lag, and no clock but this process's matters.
"""

import re
from collections import deque
from time import monotonic
from uuid import UUID

import asyncpg
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.background_task import BackgroundTask
from db.checks import Check
from db.connections import connect
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


class Replica(BackgroundTask):
    """Samples a replica, and knows for which queries it has enough.

    `max_lag_seconds`: of a replica that is used at all. `org_id`: of sampling transactions, which
    read no table. While the primary is away, the replica is used whatever it lags.
    """

    failure = "the replica is not used"
    name = "replica"
    retry_seconds = SAMPLE_SECONDS

    def __init__(
        self, primary: AsyncEngine, engine: AsyncEngine, org_id: UUID, max_lag_seconds: float
    ) -> None:
        super().__init__(engine, SAMPLE_SECONDS)
        self.engine = engine
        self._primary, self._org_id = primary, org_id
        self._max_lag_seconds = max_lag_seconds
        self._samples: deque[tuple[float, int]] = deque(maxlen=MAX_SAMPLES)
        # All that was committed before this time has been replayed; None: not known.
        self._has_until: float | None = None
        self._replayed = 0
        # Whether the primary did not answer the last time.
        self._is_alone = False

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
        return lag is not None and (self._is_alone or lag <= self._max_lag_seconds)

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

    async def work(self) -> bool:
        """Compare the replica with the primary once."""
        try:
            await self._sample()
        except Exception:
            self.distrust()
            raise
        return False

    async def _sample(self) -> None:
        began = monotonic()
        written = await read_position(self._primary, self._org_id)
        replayed = parse_position(await _scalar(self.engine, self._org_id, _REPLAYED) or "")
        if replayed is None:
            raise NotAReplicaError("the server of JOBLENS_REPLICA_URL is not a standby")
        self._replayed = replayed
        self._is_alone = written is None
        if written is None:
            if self._has_until is None:
                # The process began, or lost the replica, while the primary was away.
                self._has_until = began
            return
        position = parse_position(written)
        assert position is not None
        self._samples.append((began, _before_header(position)))
        while self._samples and self._samples[0][1] <= replayed:
            self._has_until, _ = self._samples.popleft()


async def check_replica(url: str, *, timeout_seconds: float) -> Check:
    """Check that the server is a standby. Raises no error if it is unreachable."""
    try:
        connection = await connect(url, "joblens check", timeout_seconds=timeout_seconds)
        try:
            is_standby = await connection.fetchval("SELECT pg_is_in_recovery()")
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError):
        return Check("replica", False, "cannot be reached", "start it", is_advice=True)
    found = "a hot standby" if is_standby else "takes writes, so it is not a standby"
    return Check("replica", is_standby, found, "correct JOBLENS_REPLICA_URL")


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
