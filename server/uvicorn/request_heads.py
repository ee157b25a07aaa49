"""Validate the heads of HTTP requests, and detect WebSocket handshakes."""

import re
from collections.abc import Sequence

from resolvers.errors import ErrorCode, JoblensError

# For the URL and headers of a request; other servers allow no more.
MAX_HEAD_BYTES = 65_536

Headers = Sequence[tuple[bytes, bytes]]

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?")


def check_head(method: bytes, version: str, headers: Headers) -> None:
    """Refuse requests whose host or end is ambiguous. Raises JoblensError."""
    hosts = [value for name, value in headers if name == b"host"]
    if version not in {"1.0", "1.1"}:
        raise bad_request("The version must be HTTP/1.1 or HTTP/1.0.")
    if method == b"CONNECT":
        raise bad_request("This server is not a proxy.")
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise bad_request("There must be one 'Host'.")
    if not all(map(_HOST.fullmatch, hosts)):
        raise bad_request("'Host' must be a host name, with or without a port.")
    if version == "1.0" and any(name == b"transfer-encoding" for name, _ in headers):
        raise bad_request("HTTP/1.0 has no 'Transfer-Encoding'.")


def is_handshake(method: bytes, version: str, headers: Headers) -> bool:
    """Return whether an upgrade is a WebSocket handshake, the only one that is supported."""
    upgrades = [value.strip().lower() for name, value in headers if name == b"upgrade"]
    plain = (method, version) == (b"GET", "1.1") and not any(map(_has_body, headers))
    return plain and upgrades == [b"websocket"]


def bad_request(message: str) -> JoblensError:
    """Make the error of an invalid HTTP request."""
    return JoblensError(ErrorCode.BAD_REQUEST, message)


def too_large() -> JoblensError:
    """Make the error of a head that is too large."""
    message = f"The URL and headers may have at most {MAX_HEAD_BYTES} bytes."
    return JoblensError(ErrorCode.HEADERS_TOO_LARGE, message)


def _has_body(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
