"""The provider's public keys (JWKS), of a URL or a file: kept, and read anew when that may help."""

import asyncio
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import orjson
import structlog

# How old keys may be before they are read anew, and how long to wait after each attempt, whatever
# it came to and however many tokens name keys that nobody knows.
FRESH_SECONDS = 300.0
PAUSE_SECONDS = 10.0
FETCH_TIMEOUT_SECONDS = 5.0
MAX_BYTES = 1_048_576

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
        if self._reading is not None:
            await self._reading

    async def _read_if_due(self) -> None:
        reading = self._begin_if_due()
        if reading is not None:
            await asyncio.shield(reading)

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
            keys = parse(await asyncio.to_thread(fetch, self._source))
        except (OSError, ValueError) as error:
            log.warning("could not read the keys of JOBLENS_JWT_JWKS", reason=str(error))
        else:
            self._read_at = time.monotonic()
            if keys != self._keys:
                self._keys = keys
                self._changed()
        finally:
            self._reading = None


def parse(text: bytes) -> Mapping[str | None, Mapping[str, Any]]:
    """Read a JWKS: its public keys for signatures. Raises ValueError where it has none."""
    body = orjson.loads(text)
    listed = body.get("keys") if isinstance(body, dict) else None
    usable = [key for key in listed or () if isinstance(key, dict) and _is_usable(key)]
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
        key.get("kty") in {"RSA", "EC", "OKP"}
        and key.get("use", "sig") == "sig"
        and isinstance(key.get("kid"), str | None)
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: the keys are where the setting says, or nowhere."""

    def redirect_request(self, *_: Any) -> None:
        """Let the answer stand as the error that it is then."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch(source: str) -> bytes:
    """Read the text of a JWKS, however long that takes. Raises OSError and ValueError."""
    if not source.startswith(("http://", "https://")):
        return Path(source).read_bytes()
    with _OPENER.open(source, timeout=FETCH_TIMEOUT_SECONDS) as answer:
        text: bytes = answer.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return text
