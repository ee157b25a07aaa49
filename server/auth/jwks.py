"""The provider's public keys (JWKS), from a URL or a file: cached, and refreshed when needed."""

import asyncio
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

import jwt
import orjson
import structlog

# How old keys may be before they are refreshed, and the shortest time between two attempts, even if
# many tokens name unknown keys.
FRESH_SECONDS = 300.0
PAUSE_SECONDS = 10.0
# How long the provider may take to respond and to send the keys, and how long a request waits.
FETCH_TIMEOUT_SECONDS = 5.0
WAIT_SECONDS = 10.0
MAX_BYTES = 1_048_576
MAX_REASON_LENGTH = 300

log = structlog.get_logger("joblens.auth")


class KeysUnavailableError(Exception):
    """The keys were never read, and cannot be read now."""


class KeySet:
    """The keys by id (`kid`). After a failed refresh, the previous keys stay.

    `on_change` is called when a refresh brings other keys.
    """

    def __init__(self, source: str, on_change: Callable[[], None]) -> None:
        self._source = source
        self._on_change = on_change
        self._keys: Mapping[str | None, Mapping[str, Any]] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def get(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Get the key with this id for this algorithm; None if there is none.

        Without `kid`, the only key, if there is just one. Raises KeysUnavailableError.
        """
        if self._read_at is None or kid not in self._keys:
            await self._read_if_due()
        elif time.monotonic() - self._read_at > FRESH_SECONDS:
            # Refresh in the background: the old keys can still be used.
            self._start_if_due()
        if self._read_at is None:
            raise KeysUnavailableError
        key = self._keys.get(kid)
        if key is None or key.get("alg", algorithm) != algorithm:
            return None
        try:
            return jwt.PyJWK(dict(key), algorithm)
        except jwt.PyJWTError:
            # The key's type does not fit the algorithm.
            return None

    async def stop(self) -> None:
        """Wait for a running refresh."""
        await self._wait(self._reading)

    async def _read_if_due(self) -> None:
        await self._wait(self._start_if_due())

    async def _wait(self, reading: asyncio.Task[None] | None) -> None:
        if reading is not None:
            await asyncio.wait({reading}, timeout=WAIT_SECONDS)

    def _start_if_due(self) -> asyncio.Task[None] | None:
        now = time.monotonic()
        due = self._tried_at is None or now - self._tried_at > PAUSE_SECONDS
        if self._reading is None and due:
            self._tried_at = now
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            # In a thread: network and file access would block the event loop.
            self._keep(parse(await asyncio.to_thread(fetch, self._source)))
        except Exception as error:  # noqa: BLE001 - the response is not under our control
            reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
            log.warning("could not read the keys of JOBLENS_JWT_JWKS", reason=reason)
        finally:
            self._reading = None

    def _keep(self, keys: Mapping[str | None, Mapping[str, Any]]) -> None:
        changed = keys != self._keys
        self._read_at = time.monotonic()
        if changed:
            self._keys = keys
            self._on_change()


def parse(text: bytes) -> Mapping[str | None, Mapping[str, Any]]:
    """Parse a JWKS. Returns its public signature keys by id. Raises ValueError if it has none."""
    body = orjson.loads(text)
    listed = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        listed = ()
    usable = [key for key in listed if isinstance(key, dict) and _is_usable(key)]
    keys: dict[str | None, Mapping[str, Any]] = {key.get("kid"): key for key in usable}
    if not keys:
        raise ValueError("it is not a JWKS with a public signature key")
    if len(usable) == 1:
        keys[None] = usable[0]
    else:
        keys.pop(None, None)
    return keys


def _is_usable(key: Mapping[str, Any]) -> bool:
    # Never a shared secret ("oct"): anyone who can read it can sign.
    return (
        key.get("kty") in ("RSA", "EC", "OKP")
        and key.get("use", "sig") == "sig"
        and isinstance(key.get("kid"), str | None)
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirects: keys come from the configured URL only."""

    def redirect_request(self, *_: Any) -> None:
        """Treat the redirect as an error."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch(source: str) -> bytes:
    """Read a JWKS from a URL or a file. Raises OSError, ValueError."""
    if not source.startswith(("http://", "https://")):
        return Path(source).read_bytes()
    try:
        with _OPENER.open(source, timeout=FETCH_TIMEOUT_SECONDS) as response:
            return _read_all(response)
    except HTTPException as error:
        raise OSError(f"it does not respond in HTTP: {error!r}") from error


def _read_all(response: Any) -> bytes:
    text = b""
    until = time.monotonic() + FETCH_TIMEOUT_SECONDS
    while chunk := response.read1(MAX_BYTES):
        text += chunk
        if len(text) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        if time.monotonic() > until:
            raise TimeoutError("it was sent too slowly")
    return text
