"""The provider's public keys (JWKS), of a URL or a file: kept, and read anew when that may help."""

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

# How old keys may be before they are read anew, and how long to wait after each attempt, whatever
# it came to and however many tokens name keys that nobody knows.
FRESH_SECONDS = 300.0
PAUSE_SECONDS = 10.0
# For how long the provider may be silent, how long its text may take, and how long a request waits.
FETCH_TIMEOUT_SECONDS = 5.0
WAIT_SECONDS = 10.0
MAX_BYTES = 1_048_576
MAX_REASON_LENGTH = 300

log = structlog.get_logger("joblens.auth")


class KeysUnavailableError(Exception):
    """The keys were never read, and cannot be now."""


class KeySet:
    """The keys by their id (`kid`). One that cannot be read anew stays as it was."""

    def __init__(self, source: str, changed: Callable[[], None]) -> None:
        self._source = source
        self._changed = changed
        self._keys: Mapping[str | None, Mapping[str, Any]] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def get(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Get the key of this id, for this algorithm; None where there is none.

        A token without `kid` means the only key there is. Raises KeysUnavailableError.
        """
        if self._read_at is None or kid not in self._keys:
            await self._read_if_due()
        elif time.monotonic() - self._read_at > FRESH_SECONDS:
            # Nobody waits: what there is still serves.
            self._begin_if_due()
        if self._read_at is None:
            raise KeysUnavailableError
        found = self._keys.get(kid)
        if found is None or found.get("alg", algorithm) != algorithm:
            return None
        try:
            return jwt.PyJWK(dict(found), algorithm)
        except jwt.PyJWTError:
            # A key of another kind than the token's algorithm.
            return None

    async def stop(self) -> None:
        """Wait for what is being read."""
        await self._wait(self._reading)

    async def _read_if_due(self) -> None:
        await self._wait(self._begin_if_due())

    async def _wait(self, reading: asyncio.Task[None] | None) -> None:
        if reading is not None:
            await asyncio.wait({reading}, timeout=WAIT_SECONDS)

    def _begin_if_due(self) -> asyncio.Task[None] | None:
        now = time.monotonic()
        due = self._tried_at is None or now - self._tried_at > PAUSE_SECONDS
        if self._reading is None and due:
            self._tried_at = now
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            # In a thread: neither the network nor a file may hold up the event loop.
            self._keep(parse(await asyncio.to_thread(fetch, self._source)))
        except Exception as error:  # noqa: BLE001 - what stands there is another's, and how it comes
            reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
            log.warning("could not read the keys of JOBLENS_JWT_JWKS", reason=reason)
        finally:
            self._reading = None

    def _keep(self, keys: Mapping[str | None, Mapping[str, Any]]) -> None:
        changed = keys != self._keys
        self._read_at = time.monotonic()
        if changed:
            self._keys = keys
            self._changed()


def parse(text: bytes) -> Mapping[str | None, Mapping[str, Any]]:
    """Read a JWKS: its public keys for signatures. Raises ValueError where it has none."""
    body = orjson.loads(text)
    listed = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        listed = ()
    usable = [key for key in listed if isinstance(key, dict) and _is_usable(key)]
    keys: dict[str | None, Mapping[str, Any]] = {key.get("kid"): key for key in usable}
    if not keys:
        raise ValueError("it is no JWKS with a public key for signatures")
    if len(usable) == 1:
        keys[None] = usable[0]
    else:
        keys.pop(None, None)
    return keys


def _is_usable(key: Mapping[str, Any]) -> bool:
    # Never a shared secret ("oct"): whoever could read it could sign.
    return (
        key.get("kty") in ("RSA", "EC", "OKP")
        and key.get("use", "sig") == "sig"
        and isinstance(key.get("kid"), str | None)
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: the keys are where the setting says, or nowhere."""

    def redirect_request(self, *_: Any) -> None:
        """Let the answer stand as the error that it is then."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch(source: str) -> bytes:
    """Read the text of a JWKS. Raises OSError and ValueError."""
    if not source.startswith(("http://", "https://")):
        return Path(source).read_bytes()
    try:
        with _OPENER.open(source, timeout=FETCH_TIMEOUT_SECONDS) as answer:
            return _read_all(answer)
    except HTTPException as error:
        raise OSError(f"it does not speak HTTP: {error!r}") from error


def _read_all(answer: Any) -> bytes:
    text = b""
    until = time.monotonic() + FETCH_TIMEOUT_SECONDS
    while part := answer.read1(MAX_BYTES):
        text += part
        if len(text) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        if time.monotonic() > until:
            raise TimeoutError("it came too slowly")
    return text
