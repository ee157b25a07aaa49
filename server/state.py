"""What one process holds for all its requests."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from server.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The settings and the one engine of this process."""

    settings: Settings
    engine: AsyncEngine
