"""Runs GraphQL documents: prepares a request's operation, executes it or subscribes to it."""

from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    get_variable_values,
)
from graphql.execution.values import VariableValues

from db.json_values import dumps
from resolvers.context import Context
from resolvers.errors import ErrorCode, JoblensError
from resolvers.live.streams import Stream
from schema.execution.compiling import NotCompilableError, compile_operation
from schema.execution.documents import MAX_ERRORS, Document, Rules, read
from schema.execution.error_format import (
    format_error,
    format_graphql_error,
    log_unexpected,
    present,
)
from schema.execution.executor import Executor
from schema.execution.fallbacks import SETTING, count_fallback
from schema.execution.models import Operation, Request, Response, RootFields
from schema.execution.persisted_documents import DocumentRequest
from schema.execution.plans import Plan
from schema.execution.results import run
from schema.execution.running import Run
from schema.execution.subscription_responses import OpenContext, SubscriptionResponses

NO_VARIABLES = VariableValues({}, {})


def prepare(request: Request, rules: Rules) -> Operation | Response:
    """Parse, validate and price a request's document.

    Returns the operation to run, or a refused response where it cannot be run.
    """
    requested = DocumentRequest(
        request.query, request.document_id, request.sha256_hash, request.operation_name
    )
    try:
        resolved = rules.documents.find(requested, rules.limits.max_document_characters)
        document, errors = read(resolved.text, rules, trusted=resolved.trusted)
        if document is None:
            return Response(None, errors, refused=True)
        chosen = _choose_operation(document, request.operation_name)
        if chosen.operation is not OperationType.MUTATION:
            _check_variables(request.variables)
        cost = document.cost(chosen, request.variables)
    except JoblensError as error:
        return _refused(error)
    rules.documents.keep(resolved)
    return Operation(
        rules.schema,
        document.node,
        chosen,
        chosen.name.value if chosen.name else None,
        chosen.operation,
        resolved.text,
        document.plans,
        tuple(document.metrics.conditions),
        cost,
        hides_suggestions=not rules.introspection,
        compiles=rules.compiles,
        is_short=rules.schema.is_short(document.node, chosen),
        is_registered=resolved.trusted,
    )


async def execute(operation: Operation, request: Request, context: Context) -> Response:
    """Run a query or mutation. Unexpected errors are logged, and masked in the response."""
    if operation.type is OperationType.SUBSCRIPTION:
        message = "A subscription has many answers: send it by WebSocket or as Server-Sent Events."
        return _refused(JoblensError(ErrorCode.BAD_REQUEST, message))
    execution = _prepared(operation, request, context)
    return execution if isinstance(execution, Response) else await run(execution, operation)


async def subscribe(
    operation: Operation, request: Request, open_context: OpenContext
) -> SubscriptionResponses | Response:
    """Start a subscription. Returns its responses, or a refused response if it cannot start.

    `open_context` is entered once for the start, and then for each batch of responses, which are
    of one snapshot: it yields a context with an unused session, and closes it. Call `aclose` on
    the responses however they end: it frees what the subscription holds. When the hub stops, they
    end. Errors are presented as by `execute`; the last response is `refused` if an error ended the
    subscription.
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
            log_unexpected(errors)
            return Response(None, [present(error) for error in errors], refused=True)
        assert isinstance(stream, Stream)
        execution = _prepared(operation, request, context)
        assert not isinstance(execution, Response)
    return SubscriptionResponses(stream, execution, operation, request, open_context)


def _prepared(
    operation: Operation, request: Request, context: Context
) -> Run | Executor | Response:
    """Prepare the execution of an operation; return a refused response if it may not be run."""
    variables = _coerce(operation, request)
    if isinstance(variables, Response):
        return variables
    try:
        plan = _plan(operation, request, context, variables)
    except NotCompilableError as error:
        count_fallback(str(error))
        return _build(operation, request, context)
    return _forbidden(operation, plan.fields, context) or Run(plan, context, variables)


def _plan(
    operation: Operation, request: Request, context: Context, variables: VariableValues
) -> Plan:
    """Return the operation's plan. Raises NotCompilableError."""
    if not operation.compiles:
        raise NotCompilableError(SETTING)
    hides = context.viewer_redaction is not None
    conditions = tuple(variables.coerced.get(name) for name in operation.conditions)

    def compile_() -> Plan:
        executor = Executor.build(
            operation.schema.definition,
            operation.document,
            raw_variable_values=dict(request.variables),
            operation_name=operation.name,
            hide_suggestions=operation.hides_suggestions,
        )
        assert isinstance(executor, Executor)
        counted = operation.schema.list_sizes.counted
        return compile_operation(executor, counted, hides=hides)

    return operation.plans.get((id(operation.node), hides, conditions), compile_)


def _coerce(operation: Operation, request: Request) -> VariableValues | Response:
    definitions = operation.node.variable_definitions
    if not definitions:
        return NO_VARIABLES
    coerced = get_variable_values(
        operation.schema.definition,
        definitions,
        dict(request.variables),
        max_errors=MAX_ERRORS,
        hide_suggestions=operation.hides_suggestions,
    )
    return _invalid(coerced) if isinstance(coerced, list) else coerced


def _build(operation: Operation, request: Request, context: Context) -> Executor | Response:
    built = Executor.build(
        operation.schema.definition,
        operation.document,
        context_value=context,
        raw_variable_values=dict(request.variables),
        operation_name=operation.name,
        hide_suggestions=operation.hides_suggestions,
        max_coercion_errors=MAX_ERRORS,
    )
    if isinstance(built, list):
        return _invalid(built)
    assert isinstance(built, Executor)
    built.counted = operation.schema.list_sizes.counted
    return _forbidden(operation, built.root_fields(), context) or built


def _invalid(errors: Sequence[GraphQLError]) -> Response:
    formatted = [format_graphql_error(error, ErrorCode.BAD_USER_INPUT) for error in errors]
    return Response(None, formatted, refused=True)


def _forbidden(operation: Operation, fields: RootFields, context: Context) -> Response | None:
    errors = operation.schema.permission_errors(operation.type, fields, context)
    if not errors:
        return None
    formatted = [format_graphql_error(error, ErrorCode.FORBIDDEN) for error in errors]
    return Response(None, formatted, refused=True)


def _refused(error: JoblensError) -> Response:
    return Response(None, [format_error(error)], refused=True)


def _check_variables(variables: Mapping[str, Any]) -> None:
    """Refuse values that JSON text cannot hold. Mutations check those where they are used."""
    try:
        dumps(variables)
    except TypeError as error:
        if "Recursion" in str(error):  # refused where the value is used
            return
        what = f"a number {error.__cause__}" if error.__cause__ else "half of a surrogate pair"
        message = f"'variables' must not have {what}."
        raise JoblensError(ErrorCode.BAD_REQUEST, message) from None


def _choose_operation(document: Document, name: str | None) -> OperationDefinitionNode:
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
