"""The audit log: who has changed what, and who was refused; a line each, by `joblens.audit`.

What is told is named here field by field. Nothing that a client wrote is: no token, no document, no
variable, no payload; of names only those of its operation and of itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import structlog
from graphql import OperationType
from starlette.types import Scope

from resolvers.audit_entries import INTERRUPTED, OK, AuditEntry
from resolvers.errors import ErrorCode
from schema.execution.models import Operation, Response
from schema.execution.persisted_documents import Mode
from server.auth.credentials import Credential
from server.http.hostnames import client_address
from server.logging.throttle import LogThrottle
from server.settings import Settings

# The logger; and where what speaks HTTP finds the log before there is an application to ask.
AUDIT = "joblens.audit"
MAX_NAME_LENGTH = 128
# Refusals that say something of who is refused. Those of strangers are told where they sign in.
LIMITS = frozenset(
    {
        ErrorCode.FORBIDDEN,
        ErrorCode.HOST_NOT_ALLOWED,
        ErrorCode.ORIGIN_NOT_ALLOWED,
        ErrorCode.UNTRUSTED_DOCUMENT,
        ErrorCode.INTROSPECTION_DISABLED,
        ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.COST_EXCEEDED,
        ErrorCode.PAYLOAD_TOO_LARGE,
        ErrorCode.HEADERS_TOO_LARGE,
        ErrorCode.REQUEST_TIMEOUT,
        ErrorCode.TIMEOUT,
        ErrorCode.RESPONSE_TOO_LARGE,
        ErrorCode.RATE_LIMITED,
        ErrorCode.TOO_MANY_REQUESTS,
        ErrorCode.TOO_MANY_OPERATIONS,
        ErrorCode.TOO_MANY_CONNECTIONS,
        ErrorCode.TOO_MANY_SUBSCRIPTIONS,
        ErrorCode.OVERLOADED,
        ErrorCode.SLOW_CONSUMER,
    }
)

log = structlog.get_logger(AUDIT)


class AuditSource(NamedTuple):
    """Who is refused, where that is known; or from where."""

    organisation: str | None = None
    subject: str | None = None
    client: str | None = None


class AuditLog:
    """One a process. Refusals are told within bounds; each mutation is told."""

    def __init__(self, settings: Settings) -> None:
        self.is_on = settings.audit_log
        # Where any document runs, clients ask by unknown ids as a matter of course.
        only = settings.documents is Mode.ONLY
        self.limits = LIMITS | ({ErrorCode.PERSISTED_QUERY_NOT_FOUND} if only else set())
        self._floods = LogThrottle(_tell_left_out)

    def limited(self, trail: "AuditContext", code: str, **more: object) -> None:
        """Tell of a refusal if it says something of who is refused."""
        if code in self.limits:
            self.refused(trail, code, **more)

    def refused(self, trail: "AuditContext", code: str, **more: object) -> None:
        """Tell of a refusal, unless there was the like of it just now."""
        if self.is_on and self._floods.admits(trail.source(), code):
            log.info("refused", code=str(code), **trail.told(), **more)

    def close(self) -> None:
        """Tell what is left to tell."""
        self._floods.end_window()


@dataclass(slots=True)
class AuditContext:
    """What is known by now of who asks, from where, and for what."""

    log: AuditLog
    transport: str
    client: tuple[str, int] | None
    credential: Credential | None = None
    operation: Operation | None = None

    def source(self) -> AuditSource:
        """Say whose flood it would be."""
        if self.credential is None:
            return AuditSource(client=self.address)
        return AuditSource(str(self.credential.viewer.org_id), self.credential.viewer.subject)

    def told(self) -> dict[str, Any]:
        """Write down what is known."""
        told: dict[str, Any] = {"transport": self.transport, "client": self.address}
        if self.credential is not None:
            viewer = self.credential.viewer
            told |= {"organisation": str(viewer.org_id), "subject": viewer.subject}
            told |= {"roles": [*map(str, viewer.roles)], "token": self.credential.token_id}
        if self.operation is not None:
            told["operation"] = self.operation.type.value
            told["operation_name"] = (self.operation.name or "")[:MAX_NAME_LENGTH] or None
        return {name: value for name, value in told.items() if value is not None}

    @property
    def address(self) -> str | None:
        """The client's address; None where there is none, or a proxy has told another thing."""
        address = client_address(self.client)
        return None if address is None else str(address)


_trail: ContextVar[AuditContext | None] = ContextVar("joblens_audit", default=None)


@contextmanager
def following(audit_log: AuditLog, scope: Scope) -> Iterator[None]:
    """Follow a request, or a WebSocket, whose body runs in the context."""
    if not audit_log.is_on:
        yield
        return
    token = _trail.set(AuditContext(audit_log, scope["type"], scope.get("client")))
    try:
        yield
    finally:
        _trail.reset(token)


def streams() -> None:
    """Note that the answer goes out as Server-Sent Events."""
    if (trail := _trail.get()) is not None:
        trail.transport = "sse"


def knows(credential: Credential) -> None:
    """Note who asks."""
    if (trail := _trail.get()) is not None:
        trail.credential = credential


def runs(operation: Operation) -> None:
    """Note what is asked for, in the context of this operation alone."""
    if (trail := _trail.get()) is not None:
        _trail.set(replace(trail, operation=operation))


def refused(code: str) -> None:
    """Tell of a refusal."""
    if (trail := _trail.get()) is not None:
        trail.log.refused(trail, code)


def limits(*codes: str, audit_entries: Sequence[AuditEntry] = ()) -> None:
    """Tell of those of the codes that say something of who is refused."""
    if (trail := _trail.get()) is None:
        return
    more = {"fields": _fields(audit_entries)} if audit_entries else {}
    for code in codes:
        trail.log.limited(trail, code, **more)


def answered(audit_entries: Sequence[AuditEntry], response: Response | None) -> None:
    """Tell of a mutation that ran, and of limits that an operation met.

    Without a response: it was interrupted.
    """
    if (trail := _trail.get()) is None:
        return
    codes = response.codes() if response is not None and response.errors else ()
    is_mutation = trail.operation is not None and trail.operation.type is OperationType.MUTATION
    if not is_mutation or (response is not None and response.refused):
        limits(*codes, audit_entries=audit_entries)
    elif audit_entries or codes:
        outcome = _outcome(audit_entries, response)
        log.info("mutation", **trail.told(), fields=_fields(audit_entries), outcome=outcome)


def _outcome(audit_entries: Iterable[AuditEntry], response: Response | None) -> str:
    """Say how the first field ended that did not end well."""
    for entry in audit_entries:
        if entry.outcome != OK:
            return entry.outcome
    if response is None:
        return INTERRUPTED
    for error in response.errors:
        code = str(error["extensions"]["code"])
        # Of a field whose arguments could not be read; further down, or where only the answer is
        # left out, what was written is written.
        if len(error.get("path", ())) <= 1 and code != ErrorCode.RESPONSE_TOO_LARGE:
            return code
    return OK


def _fields(audit_entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    return [
        {"field": entry.name, "outcome": entry.outcome, **entry.details} for entry in audit_entries
    ]


def _tell_left_out(source: Any, code: str, count: int) -> None:
    known = {} if source is None else source._asdict()
    told = {name: value for name, value in known.items() if value is not None}
    log.info("refusals left out", code=str(code), left_out=count, **told)
