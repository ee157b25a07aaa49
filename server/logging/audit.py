"""The audit log `joblens.audit`: one line for each mutation and for each refusal.

Every field of a line is named here. Of what clients send, only names are logged: those of their
operation and of themselves; never tokens, documents, variables or payloads.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from graphql import OperationType
from starlette.types import Scope

from resolvers.audit_entries import INTERRUPTED, OK, AuditEntry
from resolvers.errors import ErrorCode
from schema.execution.models import Operation, Response
from schema.execution.persisted_documents import Mode
from server.auth.credentials import Credential
from server.hostnames import client_address
from server.logging.throttle import LogThrottle
from server.settings import Settings

# The name of the logger, and of the audit log in the state of the ASGI lifespan.
AUDIT = "joblens.audit"
MAX_NAME_LENGTH = 128
# Refusals that say something about the client. Failed sign-ins are logged where they happen.
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
# How often clients got each code, whether or not it is logged.
ERRORS: Counter[str] = Counter()


class AuditSource(NamedTuple):
    """The viewer that was refused or, if it is not authenticated, the client's address."""

    organisation: str | None = None
    subject: str | None = None
    client: str | None = None


class AuditLog:
    """The audit log of a process. Logs every mutation; throttles refusals."""

    def __init__(self, settings: Settings) -> None:
        self.is_on = settings.audit_log
        # Unless only registered documents run, clients send unknown hashes in normal operation.
        only = settings.documents is Mode.ONLY
        self.limits = LIMITS | ({ErrorCode.PERSISTED_QUERY_NOT_FOUND} if only else set())
        self._throttle = LogThrottle(_log_left_out)

    def log_limit(self, context: "AuditContext", code: str, **more: object) -> None:
        """Log a refusal if its code is one of `limits`."""
        if code in self.limits:
            self.log_refusal(context, code, **more)

    def log_refusal(self, context: "AuditContext", code: str, **more: object) -> None:
        """Log a refusal, unless an equal one was logged in the last second."""
        if self.is_on and self._throttle.admits(context.source(), code):
            log.info("refused", code=str(code), **context.fields(), **more)

    def close(self) -> None:
        """Log the number of refusals that were left out."""
        self._throttle.end_window()


@dataclass(slots=True)
class AuditContext:
    """What is known so far of a request: its client, and its operation."""

    log: AuditLog
    transport: str
    client: tuple[str, int] | None
    credential: Credential | None = None
    operation: Operation | None = None

    def source(self) -> AuditSource:
        """Get the source by which refusals are throttled."""
        if self.credential is None:
            return AuditSource(client=self.address)
        return AuditSource(str(self.credential.viewer.org_id), self.credential.viewer.subject)

    def fields(self) -> dict[str, Any]:
        """Get the fields of a log line."""
        fields: dict[str, Any] = {"transport": self.transport, "client": self.address}
        if self.credential is not None:
            viewer = self.credential.viewer
            fields |= {"organisation": str(viewer.org_id), "subject": viewer.subject}
            fields |= {"roles": [*map(str, viewer.roles)], "token": self.credential.token_id}
        if self.operation is not None:
            fields["operation"] = self.operation.type.value
            fields["operation_name"] = (self.operation.name or "")[:MAX_NAME_LENGTH] or None
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def address(self) -> str | None:
        """The client's address; None if there is none, or a proxy sent something else."""
        address = client_address(self.client)
        return None if address is None else str(address)


_current: ContextVar[AuditContext | None] = ContextVar("joblens_audit", default=None)


@contextmanager
def request_context(audit_log: AuditLog, scope: Scope) -> Iterator[None]:
    """Keep an audit context for a request or a WebSocket while the body runs."""
    if not audit_log.is_on:
        yield
        return
    token = _current.set(AuditContext(audit_log, scope["type"], scope.get("client")))
    try:
        yield
    finally:
        _current.reset(token)


def set_event_stream() -> None:
    """Record that the response is sent as Server-Sent Events."""
    if (context := _current.get()) is not None:
        context.transport = "sse"


def set_credential(credential: Credential) -> None:
    """Record the client's credential."""
    if (context := _current.get()) is not None:
        context.credential = credential


def set_operation(operation: Operation) -> None:
    """Record the operation, in the context of this operation alone."""
    if (context := _current.get()) is not None:
        known = (context.log, context.transport, context.client, context.credential)
        _current.set(AuditContext(*known, operation))


def log_refusal(code: str) -> None:
    """Log a refusal."""
    ERRORS[str(code)] += 1
    if (context := _current.get()) is not None:
        context.log.log_refusal(context, code)


def log_limits(*codes: str, entries: Sequence[AuditEntry] = ()) -> None:
    """Log those of the codes that say something about the client."""
    ERRORS.update(map(str, codes))
    _log_limits(codes, entries)


def _log_limits(codes: Iterable[str], entries: Sequence[AuditEntry]) -> None:
    if (context := _current.get()) is None:
        return
    more = {"fields": _fields(entries)} if entries else {}
    for code in codes:
        context.log.log_limit(context, code, **more)


def log_operation(entries: Sequence[AuditEntry], response: Response | None) -> None:
    """Log a mutation that ran, or the limits that an operation exceeded.

    `response`: None if the operation was interrupted.
    """
    codes = response.codes() if response is not None and response.errors else ()
    ERRORS.update(map(str, codes))
    if (context := _current.get()) is None:
        return
    operation = context.operation
    is_mutation = operation is not None and operation.type is OperationType.MUTATION
    if not is_mutation or (response is not None and response.refused):
        _log_limits(codes, entries)
    elif entries or codes:
        outcome = _outcome(entries, response)
        log.info("mutation", **context.fields(), fields=_fields(entries), outcome=outcome)


def _outcome(entries: Iterable[AuditEntry], response: Response | None) -> str:
    """Get the outcome of the first field that did not succeed."""
    for entry in entries:
        if entry.outcome != OK:
            return entry.outcome
    if response is None:
        return INTERRUPTED
    for error in response.errors:
        code = str(error["extensions"]["code"])
        # Arguments that could not be coerced. Errors further down, and responses that are too
        # large, do not undo a write.
        if len(error.get("path", ())) <= 1 and code != ErrorCode.RESPONSE_TOO_LARGE:
            return code
    return OK


def _fields(entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    return [{"field": entry.name, "outcome": entry.outcome, **entry.details} for entry in entries]


def _log_left_out(source: Any, code: str, count: int) -> None:
    known = {} if source is None else source._asdict()
    fields = {name: value for name, value in known.items() if value is not None}
    log.info("refusals left out", code=str(code), left_out=count, **fields)
