"""What one process holds for all its requests."""

import asyncio
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.transitions import Backoff
from db.engine import Scope
from db.sessions import RequestSession
from resolvers.context import Context, Limits, Viewer
from resolvers.errors import JoblensError, UnavailableError
from resolvers.live.hub import Hub
from resolvers.redaction import Redaction
from schema.documents import Rules
from server import audit
from server.admission import Gate
from server.auth.connections import Connections
from server.auth.credentials import Authenticator, Credential, Presented
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The settings of this process, its one engine and one hub, who may ask, whether it ends.

    `rules`: what may be asked here, made from the settings once. `gate`: how much at once.
    """

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    rules: Rules
    gate: Gate
    authenticator: Authenticator
    # Those that are open, with what they were opened with.
    connections: Connections
    redaction: Redaction
    audit_log: audit.AuditLog
    # Set when the process is about to end, so that subscriptions do.
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def sign_in(self, presented: Presented) -> Credential:
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

    def context(self, viewer: Viewer) -> Context:
        """Make the context of one request; whoever asks for it closes it."""
        settings = self.settings
        scope = Scope(viewer.org_id, settings.statement_timeout_seconds)
        limits = Limits(
            page_size_default=settings.page_size_default,
            page_size_max=settings.page_size_max,
            max_json_bytes=settings.max_json_bytes,
            max_response_bytes=settings.max_response_bytes,
            backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
        )
        session = RequestSession(self.engine, scope)
        return Context(viewer, session, limits, self.hub, redaction=self.redaction)
