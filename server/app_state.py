"""What one process holds for all its requests."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.transitions import Backoff
from db.engine import Scope
from db.request_session import RequestSession
from resolvers.context import Context, Limits, Viewer
from resolvers.errors import JoblensError, UnavailableError
from resolvers.live.hub import Hub
from resolvers.redaction import Redaction
from schema.execution.documents import Rules
from server.auth.credentials import Authenticator, Credential, PresentedCredential
from server.auth.revocation import OpenConnections
from server.http.health import Readiness
from server.limits.admission import AdmissionControl, key
from server.logging import audit
from server.settings import Settings

log = structlog.get_logger("joblens.state")


@dataclass(frozen=True, slots=True)
class AppState:
    """The settings of this process, its one engine and one hub, who may ask, whether it ends.

    `rules`: what may be asked here, made from the settings once. `gate`: how much at once.
    """

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    rules: Rules
    gate: AdmissionControl
    authenticator: Authenticator
    # Those that are open, with what they were opened with.
    connections: OpenConnections
    redaction: Redaction
    audit_log: audit.AuditLog
    readiness: Readiness
    # Set when the process is about to end, so that subscriptions do.
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def sign_in(self, presented: PresentedCredential) -> Credential:
        """Get what is known of a client; the audit log hears of it, and of refusals."""
        try:
            credential = await self.authenticator.authenticate(presented)
        except UnavailableError:
            raise
        except JoblensError as error:
            audit.refused(error.code)
            raise
        audit.knows(credential)
        return credential

    async def stop(self) -> None:
        """Stop what runs and free what is held, each part though another fails."""
        async with AsyncExitStack() as parts:
            parts.callback(self.audit_log.close)
            # The last one is the first to be stopped.
            for stop in (
                self.engine.dispose,
                self.gate.close,
                self.readiness.stop,
                self.authenticator.stop,
                self.hub.stop,
                self.connections.stop,
            ):
                parts.push_async_callback(_stop, stop)

    def context(self, viewer: Viewer, *, looks_up: bool = False) -> Context:
        """Make the context of one request; its caller closes it.

        Of connections each viewer has a share; what only looks things up has one of its own.
        """
        settings = self.settings
        scope = Scope(viewer.org_id, settings.statement_timeout_seconds)
        limits = Limits(
            page_size_default=settings.page_size_default,
            page_size_max=settings.page_size_max,
            max_json_bytes=settings.max_json_bytes,
            max_response_bytes=settings.max_response_bytes,
            backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
        )
        session = RequestSession(self.engine, scope, (*key(viewer), looks_up))
        return Context(viewer, session, limits, self.hub, redaction=self.redaction)


async def _stop(stop: Callable[[], Awaitable[None]]) -> None:
    try:
        await stop()
    except Exception:
        log.exception("a part could not be stopped", part=getattr(stop, "__qualname__", ""))
