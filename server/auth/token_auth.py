"""`JOBLENS_AUTH=token`: verify tokens of `joblens token create`, stored as hashes."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from cachetools import LRUCache, TTLCache
from sqlalchemy.ext.asyncio import AsyncEngine

from db.cache_figures import CacheCounts, CacheFigures
from db.commands.tokens import LAST_USE_INTERVAL, record_last_use
from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.engine import Scope
from db.fair_queue import FairQueue
from db.queries.tokens import TokenRow, load_tokens_by_hash
from db.request_session import RequestSession
from resolvers.errors import UnavailableError
from resolvers.viewer import Role, Viewer
from server.auth.credentials import (
    Credential,
    PresentedCredential,
    UnauthenticatedError,
    check_org,
)
from server.auth.token_format import digest, org_of

# How long a lookup is cached, and with it a revoked token accepted.
CACHE_SECONDS = 2.0
CACHE_SIZE = 10_000
# Lookups of wrong tokens must not use up the connection pool. Tokens that were valid before have a
# queue of their own, and in each queue organisations take turns.
CONCURRENT_LOOKUPS = 4
DATABASE_ERRORS = (DatabaseUnavailableError, StatementTimeoutError)

log = structlog.get_logger("joblens.auth")


class TokenAuthenticator:
    """Authenticates clients by their tokens. Most requests only need a cache lookup."""

    def __init__(self, engine: AsyncEngine, statement_timeout_seconds: float) -> None:
        self._engine = engine
        self._timeout_seconds = statement_timeout_seconds
        self._known: TTLCache[bytes, Credential] = TTLCache(CACHE_SIZE, CACHE_SECONDS)
        # Keys that were valid when they were last looked up, however long ago.
        self._seen: LRUCache[bytes, None] = LRUCache(CACHE_SIZE)
        # Separate, so that a flood of wrong tokens does not evict valid ones.
        self._unknown: TTLCache[bytes, None] = TTLCache(CACHE_SIZE, CACHE_SECONDS)
        self._lookups: dict[bytes, asyncio.Task[Credential | None]] = {}
        self._first_lookups = FairQueue(CONCURRENT_LOOKUPS)
        self._repeated_lookups = FairQueue(CONCURRENT_LOOKUPS)
        self._writes: set[asyncio.Task[None]] = set()
        self._counts = CacheCounts()

    @property
    def cache(self) -> CacheFigures:
        """The figures of the tokens known to be valid or not; a hit is either."""
        return self._counts.figures(len(self._known) + len(self._unknown))

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Verify the token, from the cache or the database."""
        token = presented.token()
        key = digest(token)
        credential = self._known.get(key)
        if credential is not None:
            self._counts.hits += 1
        else:
            credential = await self._find(key, token)
        if credential is None or credential.has_expired:
            raise UnauthenticatedError("This token is not known, has expired or was revoked.")
        check_org(credential.viewer, presented.org)
        return credential

    async def revoked(
        self, org_id: UUID, credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Get those that were revoked or changed, with one statement."""
        try:
            async with self._repeated_lookups.slot(org_id):
                rows = await self._load(org_id, {each.key for each in credentials})
        except DATABASE_ERRORS:
            # Unknown now: they stay valid until it can be checked.
            return ()
        now = datetime.now(UTC)
        valid = {_credential(org_id, row) for row in rows if not _has_expired(row, now)}
        revoked = [each for each in credentials if each not in valid]
        for each in revoked:
            self._forget(each.key)
        return revoked

    async def stop(self) -> None:
        """Wait for running lookups and writes."""
        await asyncio.gather(*self._lookups.values(), *self._writes, return_exceptions=True)

    async def _find(self, key: bytes, token: str) -> Credential | None:
        """Look up a token in the database; concurrent requests with it share one lookup."""
        org_id = org_of(token)
        if org_id is None:
            return None
        if key in self._unknown:
            self._counts.hits += 1
            return None
        self._counts.misses += 1
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = asyncio.create_task(self._look_up(org_id, key))
            task.add_done_callback(lambda _: self._lookups.pop(key))
        try:
            # Shielded: a request that is cancelled must not cancel the lookup of others.
            return await asyncio.shield(task)
        except DATABASE_ERRORS:
            raise UnavailableError from None

    async def _look_up(self, org_id: UUID, key: bytes) -> Credential | None:
        queue = self._repeated_lookups if key in self._seen else self._first_lookups
        async with queue.slot(org_id):
            rows = await self._load(org_id, [key])
        if not rows:
            self._forget(key)
            self._unknown[key] = None
            return None
        credential = _credential(org_id, rows[0])
        self._known[key] = credential
        self._seen[key] = None
        return credential

    def _forget(self, key: bytes) -> None:
        self._known.pop(key, None)
        self._seen.pop(key, None)

    async def _load(self, org_id: UUID, keys: Collection[bytes]) -> Sequence[TokenRow]:
        scope = Scope(org_id, self._timeout_seconds)
        async with (
            RequestSession(self._engine, scope, ("tokens", org_id)) as session,
            session.use() as begun,
        ):
            rows = await load_tokens_by_hash(begun, org_id, keys)
        self._record_uses(org_id, {row.hash: row.last_used_at for row in rows})
        return rows

    def _record_uses(self, org_id: UUID, last_uses: Mapping[bytes, datetime | None]) -> None:
        """Write the last use of tokens in the background, unless it is recent."""
        now = datetime.now(UTC)
        latest = now - LAST_USE_INTERVAL
        stale = [key for key, at in last_uses.items() if at is None or at <= latest]
        if stale:
            task = asyncio.create_task(self._write_uses(org_id, stale, now))
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)

    async def _write_uses(self, org_id: UUID, keys: Collection[bytes], now: datetime) -> None:
        scope = Scope(org_id, self._timeout_seconds, read_only=False)
        try:
            async with RequestSession(self._engine, scope, ("uses of tokens", org_id)) as session:
                async with session.use() as begun:
                    await record_last_use(begun, org_id, keys, now)
                await session.commit()
        except Exception as error:  # noqa: BLE001 - no request depends on it
            log.warning("could not record the last use of a token", reason=type(error).__name__)


def _has_expired(row: TokenRow, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _credential(org_id: UUID, row: TokenRow) -> Credential:
    return Credential(
        viewer=Viewer(org_id, row.name, tuple(Role(role) for role in row.roles), row.expires_at),
        key=row.hash,
        token_id=str(row.id),
        expires_at=row.expires_at and row.expires_at.timestamp(),
    )
