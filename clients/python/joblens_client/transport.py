"""One connection to Joblens, kept open, and what its answers mean."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

_PATH = "/graphql"
_QUERY = (
    "mutation JoblensClient($source: SourceInput!, $facts: [FactInput!]!) "
    "{ recordFacts(source: $source, facts: $facts) { recorded known faults { index message } } }"
)
# The facts are not at fault: a wrong token or address may be put right, a busy server gets time.
_LATER = frozenset({401, 403, 404, 408, 421, 425, 429})
_LATER_CODES = frozenset(
    {
        *("UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "TOO_MANY_REQUESTS", "OVERLOADED"),
        *("TIMEOUT", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "UNAVAILABLE"),
    }
)
_CLIENT_FAILED, _SERVER_FAILED = 400, 500
_MAX_RETRY_AFTER = 60.0
_WORDS = 500


class UnavailableError(Exception):
    """The facts could not be taken now. `retry_after`: in seconds, as Joblens said."""

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(Exception):
    """Joblens refused these facts."""


@dataclass(frozen=True)
class Target:
    """Where Joblens is, and what runs the jobs there."""

    url: str
    token: str | None
    source: str
    kind: str
    timeout_seconds: float
    ssl: SSLContext | None

    def __post_init__(self) -> None:
        """Refuse an address of which no connection can be made."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"It must begin with http:// or https:// and name a host: {self.url!r}"
            raise ValueError(message)


class Connection:
    """A connection that is made when needed, and again when it was lost."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parts = urlsplit(target.url)
        path = self._parts.path.rstrip("/")
        self._path = path if path.endswith(_PATH) else path + _PATH
        self._head = json.dumps(
            {"query": _QUERY, "variables": {"source": {"name": target.source, "kind": target.kind}}}
        )[:-2]
        self._kept: HTTPConnection | None = None

    def send(self, facts: Sequence[str]) -> list[str]:
        """Send facts, each of them JSON; return the messages of those that were refused.

        Raises UnavailableError, or RefusedError if none was taken.
        """
        body = f'{self._head}, "facts": [{",".join(facts)}]}}}}'.encode()
        try:
            status, answer, retry_after = self._answer(body)
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        return _refusals(status, answer, retry_after)

    def close(self) -> None:
        """Close it; the next facts open it again."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _answer(self, body: bytes) -> tuple[int, bytes, float]:
        if self._kept is not None:
            try:
                return self._exchange(self._kept, body)
            except (OSError, HTTPException):
                # Joblens may have closed it while it was idle. Facts may be sent twice.
                self.close()
        self._kept = self._open()
        return self._exchange(self._kept, body)

    def _open(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        timeout = self._target.timeout_seconds
        if self._parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=self._target.ssl)
        return HTTPConnection(host, port, timeout=timeout)

    def _exchange(self, connection: HTTPConnection, body: bytes) -> tuple[int, bytes, float]:
        connection.request("POST", self._path, body, self._headers())
        response = connection.getresponse()
        answer = response.read()
        return response.status, answer, _retry_after(response)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._target.token:
            headers["Authorization"] = f"Bearer {self._target.token}"
        return headers


def _retry_after(response: HTTPResponse) -> float:
    try:
        return min(float(response.getheader("Retry-After") or 0), _MAX_RETRY_AFTER)
    except ValueError:
        return 0


def _refusals(status: int, answer: bytes, retry_after: float) -> list[str]:
    found = _object(answer)
    errors = found.get("errors")
    message = _words(status, answer, errors)
    if status in _LATER or status >= _SERVER_FAILED or _code(errors) in _LATER_CODES:
        raise UnavailableError(message, retry_after)
    reported = (found.get("data") or {}).get("recordFacts")
    if reported is None and errors is None and status < _CLIENT_FAILED:
        # Something else answers at this address.
        raise UnavailableError(message)
    if reported is None:
        raise RefusedError(message)
    return [str(fault.get("message")) for fault in reported.get("faults", ())]


def _object(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _code(errors: Any) -> str | None:
    try:
        return str(errors[0]["extensions"]["code"])
    except (TypeError, KeyError, IndexError):
        return None


def _words(status: int, answer: bytes, errors: Any) -> str:
    try:
        message = str(errors[0]["message"])
    except (TypeError, KeyError, IndexError):
        message = answer[:_WORDS].decode(errors="replace")
    return f"{status}: {message}"
