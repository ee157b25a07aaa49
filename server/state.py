"""What one process holds for all its requests."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.transitions import Backoff
from db.engine import Scope
from db.sessions import RequestSession
from resolvers.context import Context, Limits, Viewer
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The settings and the one engine of this process."""

    settings: Settings
    engine: AsyncEngine

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
        return Context(viewer, RequestSession(self.engine, scope), limits)
