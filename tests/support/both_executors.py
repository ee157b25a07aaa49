"""Runs every query of the tests by both executors, on one snapshot, and compares the responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from graphql import OperationType
from sqlalchemy.ext.asyncio import AsyncEngine

from db.observation import is_observed
from resolvers.context import Context
from resolvers.errors import ErrorCode
from schema.execution.fallbacks import FALLBACKS
from schema.execution.models import Operation, Request, Response
from schema.execution.run import execute
from server import operations
from server.response_encoding import dumps

LOST = {ErrorCode.TIMEOUT.value, ErrorCode.UNAVAILABLE.value}
# A second run meets another database after these, or another limit.
NOT_COMPARED = {
    *LOST,
    ErrorCode.RESPONSE_TOO_LARGE.value,
    ErrorCode.INTERNAL_SERVER_ERROR.value,
}


class Differences(list[str]):
    """What was found to differ. `compared`: the number of operations."""

    compared = 0


@contextmanager
def comparing() -> Iterator[Differences]:
    """Compare the executors in each query that this process serves meanwhile."""
    differences = Differences()

    async def both(operation: Operation, request: Request, context: Context) -> Response:
        fallbacks = FALLBACKS.total()
        response = await execute(operation, request, context)
        is_compiled = operation.compiles and FALLBACKS.total() == fallbacks
        if is_compiled and is_comparable(operation, response, context):
            core = await execute(replace(operation, compiles=False), request, again(context))
            FALLBACKS["setting"] -= 1
            if core.codes() & LOST:
                # The test has taken the database away between the two.
                return response
            differences.compared += 1
            differences.extend(difference(operation, request, response, core))
        return response

    operations.execute = both
    try:
        yield differences
    finally:
        operations.execute = execute


def is_comparable(operation: Operation, response: Response, context: Context) -> bool:
    """Return whether a second run can give the same, and disturbs no test."""
    engine: AsyncEngine = context.session._engine
    is_recorded = bool(engine.sync_engine.dispatch.before_cursor_execute) or is_observed(engine)
    is_query = operation.type is OperationType.QUERY
    return is_query and not is_recorded and not response.codes() & NOT_COMPARED


def again(context: Context) -> Context:
    """Make a context of the same request and transaction that has read nothing yet."""
    return Context(
        context.viewer,
        context.session,
        context.limits,
        context.live,
        context.redaction,
        clock=lambda: context.now,
    )


def difference(
    operation: Operation, request: Request, compiled: Response, core: Response
) -> Iterator[str]:
    """Describe how the responses differ."""
    asked = f"{operation.text}\n{dict(request.variables)}\n"
    if dumps(compiled.data) != dumps(core.data) or compiled.refused != core.refused:
        yield f"{asked}{dumps(compiled.data)!r}\n{dumps(core.data)!r}"
    elif not errors_agree(compiled.errors, core.errors):
        yield f"{asked}{compiled.errors}\n{core.errors}"
    elif compiled.errors == core.errors == [] and compiled.returned != core.returned:
        yield f"{asked}returned {compiled.returned} and {core.returned}"


def errors_agree(compiled: Any, core: Any) -> bool:
    """Return whether the same errors are reported.

    graphql-core also reports errors within a region that another error has nulled, if they came
    first in time.
    """
    wanted = [dumps(error) for error in core]
    return len(compiled) <= len(core) and all(dumps(error) in wanted for error in compiled)
