"""From the text of a query to its answer: parsed, validated, run, its errors put into words."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any

import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
)

from db.json_values import dumps
from resolvers.audit_entries import AuditEntry
from resolvers.context import Context
from resolvers.errors import ErrorCode, JoblensError, ResponseTooLargeError
from resolvers.live.streams import Stream
from schema.execution.documents import MAX_ERRORS, Document, Rules, read
from schema.execution.error_format import cause, formatted, in_words
from schema.execution.error_wording import bounded
from schema.execution.executor import Executor
from schema.execution.persisted_documents import DocumentRequest
from schema.execution.subscription_responses import OpenContext, SubscriptionResponses, response_key
from schema.limits.lookups import looks_up
from schema.permissions import refusals
from schema.schema import core_schema

MASKED = "Something went wrong in Joblens; its log tells what, under this response's request id."
# What a place in the document takes in an error: {"line":1,"column":1}
LOCATION_BYTES = 21

log = structlog.get_logger("joblens.graphql")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends: a document, which of its operations to run, and its variables.

    Instead of the document, or beside it, may stand its id, or Apollo's hash of it.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    sha256_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `refused`: nothing was run, there is no data, and `errors` say why.

    Many subscribers may share one: whoever writes it keeps in `written` what the others need not
    write again. `requested` and `returned`: what it could cost at most, and what it came to.
    `max_bytes`: how long it may be when written; `deeds`: what the fields of a mutation came to.
    """

    data: dict[str, Any] | None
    errors: Sequence[dict[str, Any]] = ()
    refused: bool = False
    requested: int = 0
    returned: int = 0
    max_bytes: int = sys.maxsize
    deeds: Sequence[AuditEntry] = ()
    written: list[bytes] = field(default_factory=list, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Put it into the form that GraphQL's specification gives a response."""
        body: dict[str, Any] = {"errors": list(self.errors)} if self.errors else {}
        if not self.refused:
            body["data"] = self.data
        if self.requested:
            cost = {"requested": self.requested, "returned": self.returned}
            body["extensions"] = {"cost": cost}
        return body

    def too_large(self) -> "Response":
        """Get the response that takes the place of this one where it is too large."""
        fields = [{"field": d.name, "outcome": d.outcome, **d.details} for d in self.deeds]
        error = formatted(ResponseTooLargeError(self.max_bytes, fields))
        return replace(self, data=None, errors=[error], written=[])

    def codes(self) -> set[str]:
        """Collect the codes of its errors."""
        return {error["extensions"]["code"] for error in self.errors}


@dataclass(frozen=True, slots=True)
class Operation:
    """A valid document and the one of its operations that is to be run.

    `text` is the document's; `cost` is the number of objects that it could return with the
    variables of its request, those of one event for a subscription. `looks_up`: it only finds
    things by their ids, which is short.
    """

    document: DocumentNode
    name: str | None
    type: OperationType
    text: str
    cost: int = 0
    hides_suggestions: bool = False
    looks_up: bool = False


ANY_RULES = Rules()


def prepare(request: Request, rules: Rules = ANY_RULES) -> Operation | Response:
    """Read a request's document and judge its cost; what cannot be run comes as its refusal."""
    asked = DocumentRequest(
        request.query, request.document_id, request.sha256_hash, request.operation_name
    )
    try:
        found = rules.documents.find(asked, rules.limits.max_document_characters)
        document, refusal = read(found.text, rules, trusted=found.trusted)
        if document is None:
            return Response(None, refusal, refused=True)
        chosen = _choose(document, request.operation_name)
        if chosen.operation is not OperationType.MUTATION:
            _check_variables(request.variables)
        cost = document.cost(chosen, request.variables)
    except JoblensError as error:
        return _refused(error)
    rules.documents.keep(found)
    name = chosen.name.value if chosen.name else None
    hides = not rules.introspection
    return Operation(
        document.node,
        name,
        chosen.operation,
        found.text,
        cost,
        hides,
        looks_up(document.node, chosen),
    )


async def execute(operation: Operation, request: Request, context: Context) -> Response:
    """Run a query or mutation. Errors that are not meant for clients are logged and masked."""
    if operation.type is OperationType.SUBSCRIPTION:
        message = "A subscription has many answers: send it by WebSocket or as Server-Sent Events."
        return _refused(JoblensError(ErrorCode.BAD_REQUEST, message))
    executor = _build(operation, request, context)
    return executor if isinstance(executor, Response) else await _run(executor, operation)


async def subscribe(
    operation: Operation, request: Request, open_context: OpenContext
) -> SubscriptionResponses | Response:
    """Begin a subscription; one that cannot begin comes back as its refusal.

    `open_context` is entered once for the beginning, and then for responses that are ready
    together, which are of one snapshot: it lends a context with a session that has not been used,
    and closes it. Call `aclose` on the responses however they end: it frees what the subscription
    holds. When the hub stops, they complete. Errors are presented as by `execute`; the last
    response is `refused` where the subscription was ended for it.
    """
    if operation.type is not OperationType.SUBSCRIPTION:
        message = "Only subscriptions can be subscribed to."
        return _refused(JoblensError(ErrorCode.BAD_REQUEST, message))
    async with open_context() as context:
        executor = _build(operation, request, context)
        if isinstance(executor, Response):
            return executor
        stream = create_source_event_stream(executor)
        if isawaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            errors = stream.errors or ()
            _log_unexpected(errors)
            return Response(None, [_present(error) for error in errors], refused=True)
        assert isinstance(stream, Stream)
        hub, key = context.live, response_key(operation, request, context.viewer)
        assert hub is not None

    async def answer(events: list[Any], context: Context) -> list[Response]:
        return await _run_all([executor.for_event(each, context) for each in events], operation)

    return SubscriptionResponses(stream, key, hub, open_context, answer, _refuse)


def _build(operation: Operation, request: Request, context: Context) -> Executor | Response:
    built = Executor.build(
        core_schema,
        operation.document,
        context_value=context,
        raw_variable_values=dict(request.variables),
        operation_name=operation.name,
        hide_suggestions=operation.hides_suggestions,
        max_coercion_errors=MAX_ERRORS,
    )
    if isinstance(built, list):
        refusal = [in_words(error, ErrorCode.BAD_USER_INPUT) for error in built]
        return Response(None, refusal, refused=True)
    assert isinstance(built, Executor)
    if forbidden := refusals(built, context):
        refusal = [in_words(error, ErrorCode.FORBIDDEN) for error in forbidden]
        return Response(None, refusal, refused=True)
    return built


async def _run(executor: Executor, operation: Operation) -> Response:
    (response,) = await _run_all([executor], operation)
    return response


async def _run_all(executors: Sequence[Executor], operation: Operation) -> list[Response]:
    """Run all side by side: their DataLoaders, if they are the same, batch over all of them."""
    results = [executor.execute_operation() for executor in executors]
    if waiting := [result for result in results if isawaitable(result)]:
        arrived = iter(await asyncio.gather(*waiting) if len(results) > 1 else [await waiting[0]])
        results = [next(arrived) if isawaitable(result) else result for result in results]
    return [
        _answer(result, executor, operation)
        for result, executor in zip(results, executors, strict=True)
    ]


def _answer(result: Any, executor: Executor, operation: Operation) -> Response:
    assert isinstance(result, ExecutionResult)
    errors, size = result.errors or (), executor.context_value.size
    _log_unexpected(errors)
    response = Response(
        result.data,
        requested=operation.cost,
        returned=executor.returned,
        max_bytes=size.max_bytes,
        deeds=executor.context_value.deeds,
    )
    size.bytes += sum(map(_least_bytes, errors))
    if size.is_too_large:
        return response.too_large()
    return replace(response, errors=[_present(error) for error in errors])


def _least_bytes(error: GraphQLError) -> int:
    path = sum(len(str(key)) for key in error.path or ())
    return len(bounded(error.message)) + path + LOCATION_BYTES * len(error.locations or ())


def _refused(error: JoblensError) -> Response:
    return Response(None, [formatted(error)], refused=True)


def _refuse(error: Exception) -> Response:
    located = GraphQLError(str(error), original_error=error)
    _log_unexpected([located])
    return Response(None, [_present(located)], refused=True)


def _check_variables(variables: Mapping[str, Any]) -> None:
    """Refuse what no JSON text can hold. Mutations say themselves what they make of it."""
    try:
        dumps(variables)
    except TypeError as error:
        if "Recursion" in str(error):  # what uses it refuses it
            return
        what = f"a number {error.__cause__}" if error.__cause__ else "half of a surrogate pair"
        message = f"'variables' must not have {what}."
        raise JoblensError(ErrorCode.BAD_REQUEST, message) from None


def _choose(document: Document, name: str | None) -> OperationDefinitionNode:
    operations = [
        definition
        for definition in document.node.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    if name:
        operations = [each for each in operations if each.name and each.name.value == name]
    if len(operations) == 1:
        return operations[0]
    if name:
        message = "The document has no operation of the name in 'operationName'."
    elif operations:
        message = "The document has several operations: 'operationName' must say which to run."
    else:
        message = "The document has no operation."
    raise JoblensError(ErrorCode.OPERATION_RESOLUTION_FAILURE, message)


def _present(error: GraphQLError) -> dict[str, Any]:
    """Put an error of the run into words: what is not meant for clients is masked."""
    if (known := _expected(error)) is not None:
        return in_words(error, known)
    masked = GraphQLError(MASKED, error.nodes, path=error.path)
    return in_words(masked, ErrorCode.INTERNAL_SERVER_ERROR)


def _log_unexpected(errors: Sequence[GraphQLError]) -> None:
    """Log each defect once, however many fields it reached."""
    causes = {id(cause(error)): error for error in errors if _expected(error) is None}
    for error in causes.values():
        log.error("unexpected error", path=error.path, exc_info=cause(error))


def _expected(error: GraphQLError) -> ErrorCode | None:
    """Say which code an error of the run has; None for a defect."""
    origin = cause(error)
    if isinstance(origin, JoblensError):
        return origin.code
    if isinstance(origin, RecursionError):
        return ErrorCode.BAD_USER_INPUT
    # graphql-core's own words on a variable whose value only the run could meet.
    if isinstance(origin, GraphQLError) and origin.message.startswith("Argument "):
        return ErrorCode.BAD_USER_INPUT
    return None
