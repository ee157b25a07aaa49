"""What one process holds for all its requests."""

import asyncio
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.transitions import Backoff
from db.engine import Scope
from db.sessions import RequestSession
from resolvers.context import Context, Limits, Viewer
from resolvers.live.hub import Hub
from server.admission import Gate
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The settings, the one engine, hub and gate of this process, and whether it ends."""

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    gate: Gate
    # Set when the process is about to end, so that subscriptions do.
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def context(self, viewer: Viewer) -> Context:
        """Make the context of one request; whoever asks for it closes it."""
        settings = self.settings
        scope = Scope(viewer.org_id, settings.statement_timeout_seconds)
        limits = Limits(
            page_size_default=settings.page_size_default,
            page_size_max=settings.page_size_max,
            max_json_bytes=settings.max_json_bytes,
            backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
        )
        return Context(viewer, RequestSession(self.engine, scope), limits, self.hub)
