"""`JOBLENS_AUTH=token`: the tokens that `joblens token create` makes, found by their hash."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.tokens import LAST_USE_INTERVAL, record_last_use
from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.engine import Scope
from db.fair_queue import FairQueue
from db.queries.tokens import TokenRow, load_tokens_by_hash
from db.request_session import RequestSession
from resolvers.errors import UnavailableError
from resolvers.viewer import Role, Viewer
from server.auth.credential_cache import CredentialCache
from server.auth.credentials import (
    Credential,
    PresentedCredential,
    UnauthenticatedError,
    check_org,
)
from server.auth.token_format import digest, org_of

# For so long a process goes by what it found: a revoked token works no longer than that.
REMEMBERED_SECONDS = 2.0
MOST_REMEMBERED = 10_000
# Wrong tokens must not take the whole pool from those who have the right ones, who, known already,
# do not even stand in one queue with them. Nor does one organisation keep others waiting.
CONCURRENT_LOOKUPS = 4
AWAY_ERRORS = (DatabaseUnavailableError, StatementTimeoutError)

log = structlog.get_logger("joblens.auth")


class TokenAuthenticator:
    """Knows clients by their tokens. What a request costs is, mostly, a look into a dict."""

    def __init__(self, engine: AsyncEngine, statement_timeout_seconds: float) -> None:
        self._engine = engine
        self._timeout_seconds = statement_timeout_seconds
        self._known: CredentialCache[Credential] = CredentialCache(
            REMEMBERED_SECONDS, MOST_REMEMBERED
        )
        # Apart, so that a flood of wrong tokens does not push the right ones out.
        self._unknown: CredentialCache[bool] = CredentialCache(REMEMBERED_SECONDS, MOST_REMEMBERED)
        self._lookups: dict[bytes, asyncio.Task[Credential | None]] = {}
        self._looking = FairQueue(CONCURRENT_LOOKUPS)
        self._looking_again = FairQueue(CONCURRENT_LOOKUPS)
        self._noting: set[asyncio.Task[None]] = set()

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Get what is known of the token."""
        token = presented.token()
        key = digest(token)
        credential = self._known.get(key) or await self._find(key, token)
        if credential is None or credential.has_expired:
            raise UnauthenticatedError("This token is not known, has expired or was revoked.")
        check_org(credential.viewer, presented.org)
        return credential

    async def revoked(
        self, org_id: UUID, credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Get those that were revoked or changed, by one statement."""
        try:
            async with self._looking_again.slot(org_id):
                rows = await self._load(org_id, {each.key for each in credentials})
        except AWAY_ERRORS:
            # It cannot be found out now: they stay until it can.
            return ()
        now = datetime.now(UTC)
        hold = {_credential(org_id, row) for row in rows if not _is_over(row, now)}
        gone = [each for each in credentials if each not in hold]
        for each in gone:
            self._known.forget(each.key)
        return gone

    async def stop(self) -> None:
        """Wait for what is being looked up or written down."""
        await asyncio.gather(*self._lookups.values(), *self._noting, return_exceptions=True)

    async def _find(self, key: bytes, token: str) -> Credential | None:
        """Look a token up in the database, once for all who show it at this moment."""
        org_id = org_of(token)
        if org_id is None or self._unknown.get(key):
            return None
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = asyncio.create_task(self._look_up(org_id, key))
            task.add_done_callback(lambda _: self._lookups.pop(key))
        try:
            # Shielded: who hangs up takes no other's answer along.
            return await asyncio.shield(task)
        except AWAY_ERRORS:
            raise UnavailableError from None

    async def _look_up(self, org_id: UUID, key: bytes) -> Credential | None:
        queue = self._looking_again if key in self._known else self._looking
        async with queue.slot(org_id):
            rows = await self._load(org_id, [key])
        if not rows:
            self._known.forget(key)
            self._unknown.put(key, True)
            return None
        credential = _credential(org_id, rows[0])
        self._known.put(key, credential)
        return credential

    async def _load(self, org_id: UUID, keys: Collection[bytes]) -> Sequence[TokenRow]:
        scope = Scope(org_id, self._timeout_seconds)
        async with (
            RequestSession(self._engine, scope, ("tokens", org_id)) as session,
            session.use() as begun,
        ):
            rows = await load_tokens_by_hash(begun, org_id, keys)
        self._note_uses(org_id, {row.hash: row.last_used_at for row in rows})
        return rows

    def _note_uses(self, org_id: UUID, last_uses: Mapping[bytes, datetime | None]) -> None:
        """Have it written down that the tokens are in use, apart from whatever asked."""
        now = datetime.now(UTC)
        latest = now - LAST_USE_INTERVAL
        stale = [key for key, at in last_uses.items() if at is None or at <= latest]
        if stale:
            task = asyncio.create_task(self._write_uses(org_id, stale, now))
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _write_uses(self, org_id: UUID, keys: Collection[bytes], now: datetime) -> None:
        scope = Scope(org_id, self._timeout_seconds, read_only=False)
        try:
            async with RequestSession(self._engine, scope, ("uses of tokens", org_id)) as session:
                async with session.use() as begun:
                    await record_last_use(begun, org_id, keys, now)
                await session.commit()
        except Exception as error:  # noqa: BLE001 - no request depends on it; the next one tries
            log.warning("could not note the use of a token", reason=type(error).__name__)


def _is_over(row: TokenRow, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _credential(org_id: UUID, row: TokenRow) -> Credential:
    return Credential(
        viewer=Viewer(org_id, row.name, tuple(Role(role) for role in row.roles)),
        key=row.hash,
        token_id=str(row.id),
        expires_at=row.expires_at and row.expires_at.timestamp(),
    )
