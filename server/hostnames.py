"""Parse host names, origins and addresses, from settings and requests."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", re.ASCII)


def host_name(host: str) -> str | None:
    """Get the name in a Host header, without its port; None if it is malformed."""
    match = _HOST.fullmatch(host.lower())
    return match.group(1).strip("[]").removesuffix(".") if match else None


def is_loopback(name: str) -> bool:
    """Return whether a host name always means the local machine."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def as_host(text: str) -> str:
    """Parse a host name of a setting. Raises ValueError."""
    name = host_name(text)
    if name is None:
        raise ValueError(f"{text} is not a host name")
    return name


def as_origin(text: str) -> str:
    """Parse an origin of a setting. Raises ValueError, also for `*` and `null`."""
    origin = text.lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{text} is not an origin such as https://dashboard.example")
    return origin


def as_network(text: str) -> str:
    """Parse an address or a network of a setting. Raises ValueError."""
    return str(ip_network(text))


def client_address(client: Sequence[Any] | None) -> IPv4Address | IPv6Address | None:
    """Get the address of an ASGI scope's client.

    None if there is none, as on a UNIX socket, or if a proxy sent something that is not an address.
    """
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return None
    # IPv4 on a dual-stack socket.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
