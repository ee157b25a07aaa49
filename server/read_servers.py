"""Which server answers a request: the replica those queries for which it has enough.

A request runs on one server, so that its answer is one snapshot.
"""

from dataclasses import replace
from time import monotonic

from cachetools import TTLCache
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import EngineOptions, create_engine
from db.replica import Replica, parse_position, read_position
from resolvers.viewer import Viewer
from server.limits.admission import viewer_key
from server.settings import Settings

# The viewers whose last write is remembered. Of others, a query may lack it.
MAX_VIEWERS = 100_000


class ReadServers:
    """The primary, and the replica if there is one."""

    def __init__(self, settings: Settings, primary: AsyncEngine, options: EngineOptions) -> None:
        self.primary = primary
        self.replica: Replica | None = None
        max_lag = settings.replica_max_lag_seconds
        if settings.replica_url is not None:
            # A standby takes no notifications.
            engine = create_engine(
                settings.replica_url.get_secret_value(), replace(options, notify_seconds=None)
            )
            self.replica = Replica(primary, engine, settings.org, max_lag)
        # When a viewer's last write or delivered event was committed, at the latest. A replica that
        # is used at all lags no longer.
        self._seen: TTLCache[object, float] = TTLCache(MAX_VIEWERS, max_lag + 1, timer=monotonic)

    @property
    def engines(self) -> list[AsyncEngine]:
        """The engine of each server."""
        return [self.primary, *([] if self.replica is None else [self.replica.engine])]

    def for_query(self, viewer: Viewer, position: str | None) -> AsyncEngine:
        """Get the server for a query that must see all up to a position of the primary.

        It also sees what this process has written for the viewer, or sent to it as an event.
        """
        replica = self.replica
        if replica is None:
            return self.primary
        least = None if position is None else parse_position(position)
        has = replica.has(self._seen.get(viewer_key(viewer)), least)
        return replica.engine if has else self.primary

    def distrust(self) -> None:
        """Do not use the replica until it has been sampled again: a query on it failed."""
        if self.replica is not None:
            self.replica.distrust()

    def seen(self, viewer: Viewer) -> None:
        """Note that the viewer knows of something that was committed by now."""
        if self.replica is not None:
            self._seen[viewer_key(viewer)] = monotonic()

    async def written(self, viewer: Viewer) -> str | None:
        """Note that the viewer has written; get the position that a query must have reached."""
        if self.replica is None:
            return None
        self.seen(viewer)
        return await read_position(self.primary, viewer.org_id)

    def start(self) -> None:
        """Start to watch the replica."""
        if self.replica is not None:
            self.replica.start()

    async def stop(self) -> None:
        """Stop watching, and close the replica's connections."""
        if self.replica is not None:
            await self.replica.stop()
