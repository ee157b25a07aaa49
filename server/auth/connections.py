"""Connections that stay open, and the credentials that they were opened with."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from server.auth.credentials import Authenticator, Credential

# How often credentials of open connections are looked at again.
INTERVAL_SECONDS = 2.0

log = structlog.get_logger("joblens.auth")


class Connections:
    """Tells open connections when what they were opened with holds no more.

    One task a process looks at all of them; it runs while there is one.
    """

    def __init__(
        self, authenticator: Authenticator, interval_seconds: float = INTERVAL_SECONDS
    ) -> None:
        self._authenticator = authenticator
        self._interval_seconds = interval_seconds
        self._open: dict[object, tuple[Credential, Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, credential: Credential, on_lapse: Callable[[], None]) -> Callable[[], None]:
        """Call `on_lapse` once if the credential lapses; what is returned ends the watch."""
        if not credential.key:
            # Nothing was shown, and nothing can lapse.
            return lambda: None
        place = object()
        self._open[place] = (credential, on_lapse)
        if self._task is None:
            self._task = asyncio.create_task(self._look_again_and_again())
        return lambda: self._leave(place)

    async def stop(self) -> None:
        """Look no more."""
        self._open.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _leave(self, place: object) -> None:
        self._open.pop(place, None)

    async def _look_again_and_again(self) -> None:
        while self._open:
            await asyncio.sleep(self._interval_seconds)
            try:
                await self._look()
            except Exception:
                log.exception("could not look at the credentials of open connections")
        self._task = None

    async def _look(self) -> None:
        credentials = {credential for credential, _ in self._open.values()}
        lapsed = set(await self._authenticator.lapsed(credentials))
        for place, (credential, on_lapse) in list(self._open.items()):
            if credential in lapsed:
                self._leave(place)
                on_lapse()
