"""Names of hosts and origins, and addresses, as settings give them and requests bear them."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", re.ASCII)


def host_name(host: str) -> str | None:
    """Get the name in a Host header, without its port; None where it is malformed."""
    match = _HOST.fullmatch(host.lower())
    return match.group(1).strip("[]").removesuffix(".") if match else None


def is_loopback(name: str) -> bool:
    """Say whether a host's name always means the same machine."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def as_host(text: str) -> str:
    """Take a host's name from a setting. Raises ValueError."""
    name = host_name(text)
    if name is None:
        raise ValueError(f"{text} is no name of a host")
    return name


def as_origin(text: str) -> str:
    """Take an origin from a setting. Raises ValueError: neither `*` nor `null` is one."""
    origin = text.lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{text} is no origin: it must be as https://dashboard.example")
    return origin


def as_network(text: str) -> str:
    """Take an address, or a network, from a setting. Raises ValueError."""
    return str(ip_network(text))


def client_address(client: Sequence[Any] | None) -> IPv4Address | IPv6Address | None:
    """Get the address of an ASGI scope's client.

    None where there is none, as on a UNIX socket, or a proxy has told another thing.
    """
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return None
    # IPv4 on a socket for both.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
