"""End long-lived connections when their credential expires or is revoked."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from server.auth.credentials import Authenticator, Credential

# How often the credentials of open connections are checked.
INTERVAL_SECONDS = 2.0

log = structlog.get_logger("joblens.auth")


class OpenConnections:
    """Checks the credentials of open connections, in one task while there are any.

    Expiry is checked locally. The authenticator checks the rest, in a task for each organisation,
    so that a slow one does not delay the others.
    """

    def __init__(
        self, authenticator: Authenticator, interval_seconds: float = INTERVAL_SECONDS
    ) -> None:
        self._authenticator = authenticator
        self._interval_seconds = interval_seconds
        self._open: dict[object, tuple[Credential, Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._checks: dict[UUID, asyncio.Task[None]] = {}

    def watch(self, credential: Credential, on_revoked: Callable[[], None]) -> Callable[[], None]:
        """Call `on_revoked` once the credential expires or is revoked. Returns how to stop."""
        if not credential.key:
            # Without a token, there is nothing to revoke.
            return lambda: None
        watch_id = object()
        self._open[watch_id] = (credential, on_revoked)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return lambda: self._unwatch(watch_id)

    async def stop(self) -> None:
        """Stop checking."""
        self._open.clear()
        task, self._task = self._task, None
        tasks = [*self._checks.values()] if task is None else [task, *self._checks.values()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _unwatch(self, watch_id: object) -> None:
        self._open.pop(watch_id, None)

    async def _run(self) -> None:
        while self._open:
            await asyncio.sleep(self._interval_seconds)
            self._start_checks()
        self._task = None

    def _start_checks(self) -> None:
        self._end({credential for credential, _ in self._open.values() if credential.has_expired})
        by_org: defaultdict[UUID, set[Credential]] = defaultdict(set)
        for credential, _ in self._open.values():
            by_org[credential.viewer.org_id].add(credential)
        for org_id, credentials in by_org.items():
            if org_id not in self._checks:
                self._checks[org_id] = asyncio.create_task(self._check(org_id, credentials))

    async def _check(self, org_id: UUID, credentials: Collection[Credential]) -> None:
        try:
            self._end(await self._authenticator.revoked(org_id, credentials))
        except Exception:
            log.exception("could not check the credentials of open connections")
        finally:
            del self._checks[org_id]

    def _end(self, revoked: Collection[Credential]) -> None:
        for watch_id, (credential, on_revoked) in list(self._open.items()):
            if credential in revoked:
                self._unwatch(watch_id)
                try:
                    on_revoked()
                except Exception:
                    log.exception("could not end a connection whose credential was revoked")
