"""Transactions that are retried after transient failures."""

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
# The wait before the n-th retry is random, up to 2**(n - 1) times the first, at most the last.
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 0.1, 5.0


async def in_transaction(
    org_id: UUID,
    work: Callable[[AsyncSession], Awaitable[T]],
    *,
    idempotent: bool = False,
    engine: AsyncEngine | None = None,
    attempts: int = ATTEMPTS,
    statement_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
) -> T:
    """Run `work` in a `session_scope`, and retry it after transient failures.

    Those are serialization failures, deadlocks, and connections that cannot be opened or are lost
    before COMMIT is sent; nothing is committed then. `work` gets a new session each time and may
    run up to `attempts` times, so it should have no effects besides its session. If the connection
    is lost during COMMIT, it runs again only if it is `idempotent`, that is, if running it twice
    changes nothing more; otherwise CommitUncertainError is raised. Raises the error of the last
    attempt.
    """

    async def attempt() -> T:
        async with session_scope(
            org_id, engine=engine, statement_timeout_seconds=statement_timeout_seconds
        ) as session:
            return await work(session)

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: is_retryable(error, idempotent=idempotent)),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LAST_WAIT_SECONDS),
        stop=stop_after_attempt(attempts),
        reraise=True,
    )
    return await retrying(attempt)
