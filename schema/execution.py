"""From the text of a query to its answer: parsed, validated, run, its errors put into words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import isawaitable
from typing import Any

import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    parse,
    validate,
)

from resolvers.context import Context
from resolvers.errors import ErrorCode, JoblensError
from resolvers.live.streams import Stream
from schema.executor import Executor
from schema.roles import refusals
from schema.schema import core_schema
from schema.sharing import OpenContext, Responses, answer_key

# A document takes nearly 200 times its text: together these may come to 150 MB.
CACHED_DOCUMENTS = 200
CACHED_DOCUMENT_CHARACTERS = 4_096
MASKED = "Something went wrong in Joblens; its log tells what, under this response's request id."

log = structlog.get_logger("joblens.graphql")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends: a document, which of its operations to run, and its variables."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `refused`: nothing was run, there is no data, and `errors` say why.

    Many subscribers may share one: whoever writes it keeps in `written` what the others need not
    write again.
    """

    data: dict[str, Any] | None
    errors: Sequence[dict[str, Any]] = ()
    refused: bool = False
    written: list[bytes] = field(default_factory=list, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Put it into the form that GraphQL's specification gives a response."""
        body: dict[str, Any] = {"errors": list(self.errors)} if self.errors else {}
        if not self.refused:
            body["data"] = self.data
        return body

    def codes(self) -> set[str]:
        """Collect the codes of its errors."""
        return {error["extensions"]["code"] for error in self.errors}


@dataclass(frozen=True, slots=True)
class Operation:
    """A valid document and the one of its operations that is to be run."""

    document: DocumentNode
    name: str | None
    type: OperationType


def prepare(request: Request) -> Operation | Response:
    """Parse and validate a request; what cannot be run comes back as its refusal."""
    short = len(request.query) <= CACHED_DOCUMENT_CHARACTERS
    document, refusal = (_read_cached if short else _read)(request.query)
    if document is None:
        return Response(None, refusal, refused=True)
    return _choose(document, request.operation_name)


async def execute(operation: Operation, request: Request, context: Context) -> Response:
    """Run a query or mutation. Errors that are not meant for clients are logged and masked."""
    if operation.type is OperationType.SUBSCRIPTION:
        message = "A subscription has many answers: send it by WebSocket or as Server-Sent Events."
        return Response(None, [_error(message, ErrorCode.BAD_REQUEST)], refused=True)
    executor = _build(operation, request, context)
    return executor if isinstance(executor, Response) else await _run(executor)


async def subscribe(
    operation: Operation, request: Request, open_context: OpenContext
) -> Responses | Response:
    """Begin a subscription; one that cannot begin comes back as its refusal.

    `open_context` is entered once for the beginning, and then for responses that are ready
    together, which are of one snapshot: it lends a context with a session that has not been used,
    and closes it. Call `aclose` on the responses however they end: it frees what the subscription
    holds. When the hub stops, they complete. Errors are presented as by `execute`; the last
    response is `refused` where the subscription was ended for it.
    """
    if operation.type is not OperationType.SUBSCRIPTION:
        message = "Only subscriptions can be subscribed to."
        return Response(None, [_error(message, ErrorCode.BAD_REQUEST)], refused=True)
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
        hub, key = context.live, answer_key(operation, request, context.viewer)
        assert hub is not None

    async def answer(events: list[Any], context: Context) -> list[Response]:
        return await _run_all([executor.for_event(event, context) for event in events])

    return Responses(stream, key, hub, open_context, answer, _refuse)


def _build(operation: Operation, request: Request, context: Context) -> Executor | Response:
    built = Executor.build(
        core_schema,
        operation.document,
        context_value=context,
        raw_variable_values=dict(request.variables),
        operation_name=operation.name,
    )
    if isinstance(built, list):
        refusal = [_in_words(error, ErrorCode.BAD_USER_INPUT) for error in built]
        return Response(None, refusal, refused=True)
    assert isinstance(built, Executor)
    if forbidden := refusals(built, context.viewer):
        refusal = [_in_words(error, ErrorCode.FORBIDDEN) for error in forbidden]
        return Response(None, refusal, refused=True)
    return built


async def _run(executor: Executor) -> Response:
    result = executor.execute_operation()
    return _answer(await result if isawaitable(result) else result)


async def _run_all(executors: Sequence[Executor]) -> list[Response]:
    """Run all side by side: their DataLoaders, if they are the same, batch over all of them."""
    results = [executor.execute_operation() for executor in executors]
    waiting = [result for result in results if isawaitable(result)]
    arrived = iter(await asyncio.gather(*waiting) if waiting else ())
    return [_answer(next(arrived) if isawaitable(each) else each) for each in results]


def _answer(result: Any) -> Response:
    assert isinstance(result, ExecutionResult)
    errors = result.errors or ()
    _log_unexpected(errors)
    return Response(result.data, [_present(error) for error in errors])


def _refuse(error: Exception) -> Response:
    located = GraphQLError(str(error), original_error=error)
    _log_unexpected([located])
    return Response(None, [_present(located)], refused=True)


def _choose(document: DocumentNode, name: str | None) -> Operation | Response:
    operations = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    if name:
        operations = [each for each in operations if each.name and each.name.value == name]
    if len(operations) == 1:
        (chosen,) = operations
        own_name = chosen.name.value if chosen.name else None
        return Operation(document, own_name, chosen.operation)
    if name:
        message = "The document has no operation of the name in 'operationName'."
    elif operations:
        message = "The document has several operations: 'operationName' must say which to run."
    else:
        message = "The document has no operation."
    return Response(None, [_error(message, ErrorCode.OPERATION_RESOLUTION_FAILURE)], refused=True)


def _read(query: str) -> tuple[DocumentNode | None, list[dict[str, Any]]]:
    try:
        document = parse(query)
        errors = validate(core_schema, document)
    except GraphQLSyntaxError as error:
        return None, [_in_words(error, ErrorCode.GRAPHQL_PARSE_FAILED)]
    except RecursionError:
        message = "The document is nested too deeply."
        return None, [_error(message, ErrorCode.GRAPHQL_PARSE_FAILED)]
    if errors:
        return None, [_in_words(error, ErrorCode.GRAPHQL_VALIDATION_FAILED) for error in errors]
    return document, []


_read_cached = lru_cache(maxsize=CACHED_DOCUMENTS)(_read)


def _present(error: GraphQLError) -> dict[str, Any]:
    """Put an error of the run into words: what is not meant for clients is masked."""
    if (known := _expected(error)) is not None:
        return _in_words(error, known)
    masked = GraphQLError(MASKED, error.nodes, path=error.path)
    return _in_words(masked, ErrorCode.INTERNAL_SERVER_ERROR)


def _log_unexpected(errors: Sequence[GraphQLError]) -> None:
    """Log each defect once, however many fields it reached."""
    causes = {id(_cause(error)): error for error in errors if _expected(error) is None}
    for error in causes.values():
        log.error("unexpected error", path=error.path, exc_info=_cause(error))


def _expected(error: GraphQLError) -> ErrorCode | None:
    """Say which code an error of the run has; None for a defect."""
    cause = _cause(error)
    if isinstance(cause, JoblensError):
        return cause.code
    if isinstance(cause, RecursionError):
        return ErrorCode.BAD_USER_INPUT
    # graphql-core's own words on a variable whose value only the run could meet.
    if isinstance(cause, GraphQLError) and cause.message.startswith("Argument "):
        return ErrorCode.BAD_USER_INPUT
    return None


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _in_words(error: GraphQLError, code: ErrorCode) -> dict[str, Any]:
    cause = _cause(error)
    if isinstance(cause, JoblensError):
        code = cause.code
    formatted: dict[str, Any] = dict(error.formatted)
    return formatted | {"extensions": {"code": code.value}}


def _error(message: str, code: ErrorCode) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code.value}}
