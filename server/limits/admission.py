"""Admission control: bounds on requests, connections, subscriptions, and on points a minute."""

from collections.abc import Hashable, Mapping, Sequence
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any

from resolvers.errors import ErrorCode
from resolvers.viewer import Viewer
from server.hostnames import client_address
from server.limits.concurrency import ConcurrencyLimiter, Kind, Slot
from server.limits.errors import BusyError
from server.limits.rate_limit import LocalRateLimiter, RateLimiter, RateLimitStatus, ViewerKey
from server.limits.redis_rate_limit import RedisRateLimiter
from server.settings import Settings

REQUESTS = Kind("requests", ErrorCode.TOO_MANY_REQUESTS, ErrorCode.OVERLOADED)
CONNECTIONS = Kind("connections", ErrorCode.TOO_MANY_CONNECTIONS, ErrorCode.OVERLOADED)
SUBSCRIPTIONS = Kind(
    "subscriptions", ErrorCode.TOO_MANY_SUBSCRIPTIONS, ErrorCode.TOO_MANY_SUBSCRIPTIONS
)
DEFAULT_POINTS_PER_MINUTE = 1_000_000
# The bits of an IPv6 address that name a network, which one client may have for itself.
IPV6_NETWORK_BITS = 64
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class AdmissionControl:
    """The bounds of one process."""

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
        self._rate_limiter = _rate_limiter(settings)
        # How often a viewer had too few points left.
        self.rate_refusals = 0

    def enter(self, viewer: Viewer) -> Slot:
        """Acquire the slot of a request. Raises BusyError."""
        return self.requests.acquire(viewer_key(viewer))

    async def spend(self, viewer: Viewer, points: int = 1) -> Mapping[str, str]:
        """Spend a viewer's points, at least one. Returns the rate limit's HTTP headers.

        Raises BusyError if the viewer has too few points left.
        """
        if self._rate_limiter is None:
            return _NO_HEADERS
        status = await self._rate_limiter.spend(viewer_key(viewer), max(1, points))
        if status.wait_seconds > 0:
            self.rate_refusals += 1
            raise _rate_limited(status)
        return status.headers()

    async def close(self) -> None:
        """Close connections to other services."""
        if self._rate_limiter is not None:
            await self._rate_limiter.close()


def viewer_key(viewer: Viewer) -> ViewerKey:
    """Get the key of a viewer's slots and points: one subject of one organisation."""
    return (viewer.org_id, viewer.subject)


def anonymous_key(client: Sequence[Any] | None) -> Hashable:
    """Get the key of a client before it has signed in: its address, or its IPv6 network.

    Clients without a known address share one key.
    """
    address = client_address(client)
    if isinstance(address, IPv6Address):
        return (address.version, int(address) >> (address.max_prefixlen - IPV6_NETWORK_BITS))
    return address


def _rate_limiter(settings: Settings) -> RateLimiter | None:
    quota = settings.rate_points_per_minute
    if quota is None:
        quota = 0 if settings.auth == "none" else DEFAULT_POINTS_PER_MINUTE
    if quota == 0:
        return None
    if settings.redis_url is None:
        return LocalRateLimiter(quota)
    return RedisRateLimiter(quota, settings.redis_url.get_secret_value())


def _rate_limited(status: RateLimitStatus) -> BusyError:
    return BusyError(
        ErrorCode.RATE_LIMITED,
        f"You may spend {status.quota} points a minute, and this costs more than you have left.",
        status.retry_after_seconds,
        status.headers(),
    )
