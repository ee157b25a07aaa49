"""Executes operations, and makes responses of their results and errors."""

from collections.abc import Sequence
from typing import Protocol

from graphql import ExecutionResult, GraphQLError

from resolvers.context import Context
from schema.execution.error_format import log_unexpected, present
from schema.execution.error_wording import bounded
from schema.execution.models import Operation, Response
from schema.execution.resolving import settled

# The bytes of an error's location: {"line":1,"column":1}
LOCATION_BYTES = 21


class Execution(Protocol):
    """An operation that is ready to be executed once, for an event if it is a subscription.

    `returned`: how many objects of the counted types the response has. `waits`: whether it may
    have to wait for the database.
    """

    returned: int
    waits: bool

    @property
    def context(self) -> Context:
        """The context of its resolvers."""

    async def execute(self) -> ExecutionResult:
        """Execute the operation; its errors are in the result."""


async def run(execution: Execution, operation: Operation) -> Response:
    """Execute an operation, and make its response."""
    return _response(await execution.execute(), execution, operation)


async def run_all(executions: Sequence[Execution], operation: Operation) -> list[Response]:
    """Execute concurrently; DataLoaders that the executions share batch over all of them."""
    if len(executions) == 1 or not any(each.waits for each in executions):
        return [await run(each, operation) for each in executions]
    results = await settled(each.execute() for each in executions)
    return [
        _response(result, each, operation) for result, each in zip(results, executions, strict=True)
    ]


def _response(result: ExecutionResult, execution: Execution, operation: Operation) -> Response:
    context, errors = execution.context, result.errors or ()
    size = context.size
    log_unexpected(errors)
    size.bytes += sum(map(_least_bytes, errors))
    response = Response(
        result.data,
        [present(error) for error in errors] if not size.is_too_large else [],
        requested=operation.cost,
        returned=execution.returned,
        max_bytes=size.max_bytes,
        audit_entries=context.audit_entries,
    )
    return response.too_large() if size.is_too_large else response


def _least_bytes(error: GraphQLError) -> int:
    path = sum(len(str(key)) for key in error.path or ())
    return len(bounded(error.message)) + path + LOCATION_BYTES * len(error.locations or ())


def failed(error: Exception) -> Response:
    """Make the response of an operation that an error has ended; log an unexpected one."""
    located = GraphQLError(str(error), original_error=error)
    log_unexpected([located])
    return Response(None, [present(located)], refused=True)
