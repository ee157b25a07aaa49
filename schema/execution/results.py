"""Runs executors, and makes responses of their results and errors."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLError

from resolvers.context import Context
from schema.execution.error_format import log_unexpected, present
from schema.execution.error_wording import bounded
from schema.execution.executor import Executor
from schema.execution.models import Operation, Response
from schema.execution.running import Run

# The bytes of an error's location: {"line":1,"column":1}
LOCATION_BYTES = 21


async def run(executor: Executor, operation: Operation) -> Response:
    """Run an operation, and make its response."""
    (response,) = await run_all([executor], operation)
    return response


async def run_all(executors: Sequence[Executor], operation: Operation) -> list[Response]:
    """Run executors concurrently; DataLoaders that they share batch over all of them."""
    results = [executor.execute_operation() for executor in executors]
    if waiting := [result for result in results if isawaitable(result)]:
        arrived = iter(await asyncio.gather(*waiting) if len(results) > 1 else [await waiting[0]])
        results = [next(arrived) if isawaitable(result) else result for result in results]
    return [
        _response(result, executor, operation)
        for result, executor in zip(results, executors, strict=True)
    ]


async def run_plan(run: Run, operation: Operation) -> Response:
    """Run a compiled operation, and make its response."""
    data = await run.data()
    return response_of(data, run.errors(), run.returned, run.context, operation)


def _response(result: Any, executor: Executor, operation: Operation) -> Response:
    assert isinstance(result, ExecutionResult)
    errors = result.errors or ()
    context: Context = executor.context_value
    return response_of(result.data, errors, executor.returned, context, operation)


def response_of(
    data: dict[str, Any] | None,
    errors: Sequence[GraphQLError],
    returned: int,
    context: Context,
    operation: Operation,
) -> Response:
    """Make the response of an operation that was run. Unexpected errors are logged and masked."""
    size = context.size
    log_unexpected(errors)
    response = Response(
        data,
        requested=operation.cost,
        returned=returned,
        max_bytes=size.max_bytes,
        audit_entries=context.audit_entries,
    )
    size.bytes += sum(map(_least_bytes, errors))
    if size.is_too_large:
        return response.too_large()
    return replace(response, errors=[present(error) for error in errors])


def _least_bytes(error: GraphQLError) -> int:
    path = sum(len(str(key)) for key in error.path or ())
    return len(bounded(error.message)) + path + LOCATION_BYTES * len(error.locations or ())


def failed(error: Exception) -> Response:
    """Make the response of an operation that an error has ended; log an unexpected one."""
    located = GraphQLError(str(error), original_error=error)
    log_unexpected([located])
    return Response(None, [present(located)], refused=True)
