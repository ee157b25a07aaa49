"""The state of one process, shared by all of its requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.background_task import BackgroundTask
from db.engine import Scope
from db.request_session import RequestSession
from resolvers.context import Context
from resolvers.errors import JoblensError, UnavailableError
from resolvers.limits import RequestLimits
from resolvers.live.hub import Hub
from resolvers.redaction import Redaction
from resolvers.viewer import Viewer
from schema.execution.documents import Rules
from server.auth.credentials import Authenticator, Credential, PresentedCredential
from server.auth.revocation import OpenConnections
from server.limits.admission import AdmissionControl, viewer_key
from server.logging import audit
from server.observability.observation import Observation
from server.read_servers import ReadServers
from server.readiness import Readiness
from server.settings import Settings

log = structlog.get_logger("joblens.state")


@dataclass(frozen=True, slots=True)
class AppState:
    """What the requests of one process share."""

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    rules: Rules
    admission: AdmissionControl
    authenticator: Authenticator
    connections: OpenConnections
    redaction: Redaction
    limits: RequestLimits
    audit_log: audit.AuditLog
    readiness: Readiness
    tasks: Sequence[BackgroundTask]
    observation: Observation
    servers: ReadServers
    # Set when the process shuts down: subscriptions then end.
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def sign_in(self, presented: PresentedCredential) -> Credential:
        """Authenticate a client, and record it for the audit log. Raises JoblensError."""
        try:
            credential = await self.authenticator.authenticate(presented)
        except UnavailableError:
            raise
        except JoblensError as error:
            audit.log_refusal(error.code)
            raise
        audit.set_credential(credential)
        return credential

    def start(self) -> None:
        """Start what runs in the background."""
        for task in self.tasks:
            task.start()
        self.observation.start()
        self.servers.start()

    async def stop(self) -> None:
        """Stop every component, even if another one fails to stop."""
        async with AsyncExitStack() as stack:
            stack.callback(self.audit_log.close)
            # Stopped in reverse order.
            for stop in (
                self.engine.dispose,
                self.servers.stop,
                self.admission.close,
                self.readiness.stop,
                self.authenticator.stop,
                self.hub.stop,
                self.connections.stop,
                self.observation.stop,
                *(task.stop for task in self.tasks),
            ):
                stack.push_async_callback(_stop, stop)

    def context(
        self, viewer: Viewer, *, is_short: bool = False, engine: AsyncEngine | None = None
    ) -> Context:
        """Make the context of one request; the caller closes it. `engine`: by default the primary.

        Pool connections are shared fairly by viewer, in separate queues for short operations.
        """
        settings = self.settings
        scope = Scope(
            viewer.org_id,
            settings.statement_timeout_seconds,
            scan_timeout_seconds=settings.scan_timeout_seconds,
        )
        session = RequestSession(engine or self.engine, scope, (*viewer_key(viewer), is_short))
        return Context(
            viewer,
            session,
            self.limits,
            self.hub,
            redaction=self.redaction,
            trace_id=self.observation.trace_id,
            watch_level=self.observation.watch_level,
        )


async def _stop(stop: Callable[[], Awaitable[None]]) -> None:
    try:
        await stop()
    except Exception:
        log.exception("cannot stop", component=getattr(stop, "__qualname__", ""))
