"""Who is let in: the bounds on requests, connections and subscriptions, and on points a minute."""

from collections.abc import Hashable, Sequence
from ipaddress import IPv6Address
from typing import Any

from resolvers.context import Viewer
from resolvers.errors import ErrorCode
from server.http.hostnames import client_address
from server.limits.concurrency import ConcurrencyLimiter, Kind, Slot
from server.limits.errors import BusyError
from server.limits.rate_limit import LocalRateLimiter, RateLimiter, RateLimitStatus, Who
from server.limits.redis_rate_limit import RedisRateLimiter
from server.settings import Settings

REQUESTS = Kind("requests", ErrorCode.TOO_MANY_REQUESTS, ErrorCode.OVERLOADED)
CONNECTIONS = Kind("connections", ErrorCode.TOO_MANY_CONNECTIONS, ErrorCode.OVERLOADED)
SUBSCRIPTIONS = Kind(
    "subscriptions", ErrorCode.TOO_MANY_SUBSCRIPTIONS, ErrorCode.TOO_MANY_SUBSCRIPTIONS
)
DEFAULT_POINTS_PER_MINUTE = 1_000_000
# Of an IPv6 address: so much of it names a network, which one client may have for itself.
IPV6_NETWORK_BITS = 64


class Admission:
    """A request that was let in; it leaves when it is done. `headers` tell of its viewer's rate."""

    __slots__ = ("_place", "headers")

    def __init__(self, place: Slot, standing: RateLimitStatus | None) -> None:
        self._place = place
        self.headers = {} if standing is None else standing.headers()

    def leave(self) -> None:
        """Make room for another request."""
        self._place.leave()


class AdmissionControl:
    """One a process."""

    def __init__(self, settings: Settings) -> None:
        self.requests = ConcurrencyLimiter(
            REQUESTS, settings.max_requests, settings.max_requests_per_viewer
        )
        self.connections = ConcurrencyLimiter(
            CONNECTIONS, settings.max_connections, settings.max_connections_per_viewer
        )
        self.subscriptions = ConcurrencyLimiter(
            SUBSCRIPTIONS,
            settings.live_max_subscriptions,
            settings.live_max_subscriptions_per_viewer,
        )
        self._rates = _rates(settings)

    def enter(self, viewer: Viewer) -> Slot:
        """Take a place for a request of which nothing is read yet. Raises BusyError."""
        return self.requests.take(key(viewer))

    async def admit(self, viewer: Viewer, points: int, place: Slot) -> Admission:
        """Let a request in that costs so many points, at least one.

        Raises BusyError, and then the place is left.
        """
        try:
            return Admission(place, await self._spend(viewer, max(1, points)))
        except BaseException:
            place.leave()
            raise

    async def charge(self, viewer: Viewer) -> None:
        """Take a point for a request that could not be run. Raises BusyError."""
        await self._spend(viewer, 1)

    async def _spend(self, viewer: Viewer, points: int) -> RateLimitStatus | None:
        if self._rates is None:
            return None
        standing = await self._rates.spend(key(viewer), points)
        if standing.wait_seconds > 0:
            raise _out_of_points(standing)
        return standing

    async def close(self) -> None:
        """Free what is held outside of this process."""
        if self._rates is not None:
            await self._rates.close()


def key(viewer: Viewer) -> Who:
    """Say whose places and points a viewer has: all that one subject of one organisation does."""
    return (viewer.org_id, viewer.subject)


def stranger(client: Sequence[Any] | None) -> Hashable:
    """Say whose places those have who have not signed in: all that come from one network.

    Whose address is not known share theirs.
    """
    address = client_address(client)
    if isinstance(address, IPv6Address):
        return (address.version, int(address) >> (address.max_prefixlen - IPV6_NETWORK_BITS))
    return address


def _rates(settings: Settings) -> RateLimiter | None:
    quota = settings.rate_points_per_minute
    if quota is None:
        quota = 0 if settings.auth == "none" else DEFAULT_POINTS_PER_MINUTE
    if quota == 0:
        return None
    if settings.redis_url is None:
        return LocalRateLimiter(quota)
    return RedisRateLimiter(quota, settings.redis_url.get_secret_value())


def _out_of_points(standing: RateLimitStatus) -> BusyError:
    return BusyError(
        ErrorCode.RATE_LIMITED,
        f"You may spend {standing.quota} points a minute, and this costs more than you have left.",
        standing.retry_after_seconds,
        standing.headers(),
    )
