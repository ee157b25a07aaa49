"""Transactions that are tried again when they failed for a passing reason."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from db.database_errors import is_retryable
from db.session_scope import STATEMENT_TIMEOUT_SECONDS, session_scope

T = TypeVar("T")

ATTEMPTS = 6
# Before the n-th retry: a random time up to 2**(n - 1) times the first, at most the last.
WAIT_FIRST_SECONDS, WAIT_LAST_SECONDS = 0.1, 5.0


async def in_transaction(
    org_id: UUID,
    work: Callable[[AsyncSession], Awaitable[T]],
    *,
    idempotent: bool = False,
    engine: AsyncEngine | None = None,
    attempts: int = ATTEMPTS,
    statement_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
) -> T:
    """Run `work` in a `session_scope`, again where that failed for a passing reason.

    Those are serialization failures, deadlocks, and a connection that could not be had or was lost
    before COMMIT was sent: nothing has been kept then. `work` gets a new session each time, and
    may run several times, so it should do nothing but write to this session. After a lost COMMIT
    it runs again only if it is `idempotent`, which means that a second success changes nothing;
    otherwise CommitUncertainError is raised. The last attempt's error is raised as it is.
    """

    async def attempt() -> T:
        async with session_scope(
            org_id, engine=engine, statement_timeout_seconds=statement_timeout_seconds
        ) as session:
            return await work(session)

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: is_retryable(error, idempotent=idempotent)),
        wait=wait_random_exponential(multiplier=WAIT_FIRST_SECONDS, max=WAIT_LAST_SECONDS),
        stop=stop_after_attempt(attempts),
        reraise=True,
    )
    return await retrying(attempt)
