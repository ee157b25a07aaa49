"""Long-lived connections by the credential that opened them, to end them when it is revoked."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from server.auth.credentials import Authenticator, Credential

# How often credentials of open connections are looked at again.
INTERVAL_SECONDS = 2.0

log = structlog.get_logger("joblens.auth")


class OpenConnections:
    """Tells open connections when what they were opened with holds no more.

    One task a process looks at all of them; it runs while there is one. What has expired it ends
    itself; of the rest it asks, apart for each organisation, so that none keeps others waiting.
    """

    def __init__(
        self, authenticator: Authenticator, interval_seconds: float = INTERVAL_SECONDS
    ) -> None:
        self._authenticator = authenticator
        self._interval_seconds = interval_seconds
        self._open: dict[object, tuple[Credential, Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._asking: dict[UUID, asyncio.Task[None]] = {}

    def watch(self, credential: Credential, on_revoked: Callable[[], None]) -> Callable[[], None]:
        """Call `on_revoked` once if the credential lapses; what is returned ends the watch."""
        if not credential.key:
            # Nothing was shown, and nothing can lapse.
            return lambda: None
        place = object()
        self._open[place] = (credential, on_revoked)
        if self._task is None:
            self._task = asyncio.create_task(self._look_again_and_again())
        return lambda: self._leave(place)

    async def stop(self) -> None:
        """Look no more."""
        self._open.clear()
        task, self._task = self._task, None
        tasks = [*self._asking.values()] if task is None else [task, *self._asking.values()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _leave(self, place: object) -> None:
        self._open.pop(place, None)

    async def _look_again_and_again(self) -> None:
        while self._open:
            await asyncio.sleep(self._interval_seconds)
            self._look()
        self._task = None

    def _look(self) -> None:
        self._end({credential for credential, _ in self._open.values() if credential.has_expired})
        by_org: defaultdict[UUID, set[Credential]] = defaultdict(set)
        for credential, _ in self._open.values():
            by_org[credential.viewer.org_id].add(credential)
        for org_id, credentials in by_org.items():
            if org_id not in self._asking:
                self._asking[org_id] = asyncio.create_task(self._ask(org_id, credentials))

    async def _ask(self, org_id: UUID, credentials: Collection[Credential]) -> None:
        try:
            self._end(await self._authenticator.revoked(org_id, credentials))
        except Exception:
            log.exception("could not look at the credentials of open connections")
        finally:
            del self._asking[org_id]

    def _end(self, lapsed: Collection[Credential]) -> None:
        for place, (credential, on_revoked) in list(self._open.items()):
            if credential in lapsed:
                self._leave(place)
                try:
                    on_revoked()
                except Exception:
                    log.exception("could not end a connection whose credentials hold no more")
