"""Runs a document of the small schema by a compiled plan and by graphql-core, and compares them.

Both must give the same data. An error nulls the innermost nullable position around it; of the
errors that null one region of the response, each executor may choose which it reports. Of every
region, a plan reports exactly one, which must have occurred. To learn which errors occur,
graphql-core runs the document once more without nulling anything around them.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLNonNull,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    get_variable_values,
    parse,
    validate,
    visit,
)
from graphql.execution.executor import Executor as CoreExecutor
from graphql.execution.values import VariableValues

from resolvers.response_size import ResponseSize
from schema.execution.compiling import compile_operation
from schema.execution.executor import Executor
from schema.execution.plans import Plan
from schema.execution.running import Run
from server.response_encoding import dumps
from tests.schema.execution.rows import Row
from tests.schema.execution.small_schema import FIELD_TYPES, SCHEMA

Path = tuple[str | int, ...]
# graphql-core drops resolvers that it has called when another field fails at once.
DROPS_COROUTINES = pytest.mark.filterwarnings(
    "ignore:coroutine '(GraphQLCoreConverter|Executor)[.].*' was never awaited:RuntimeWarning"
)
COUNTED = frozenset({"Cat", "Dog", "Person"})


class PlainExecutor(CoreExecutor[Any]):
    """graphql-core's executor, with the variables as Strawberry expects them."""

    def build_resolve_info(self, *args: Any) -> Any:
        info = super().build_resolve_info(*args)
        return info._replace(variable_values=self.variable_values.coerced)


def context_of(root: Row) -> Any:
    """Make what stands in for the context of a request."""
    return SimpleNamespace(
        root=root, size=ResponseSize(1_000_000_000), shields_reads=True, watch_level=None
    )


def parsed(text: str) -> DocumentNode:
    """Parse a document, which must be valid."""
    document = parse(text)
    assert not (errors := validate(SCHEMA, document)), (text, errors)
    return document


def compiled(document: DocumentNode, variables: Mapping[str, Any]) -> Plan:
    """Compile a document for the conditions in these variables."""
    executor = Executor.build(SCHEMA, document, raw_variable_values=dict(variables))
    assert isinstance(executor, Executor), executor
    return compile_operation(executor, COUNTED, hides=False)


async def run_plan(
    plan: Plan, root: Row, variables: Mapping[str, Any]
) -> tuple[ExecutionResult, int]:
    """Run a plan; return its result, and how many objects of the counted types it has."""
    definitions = plan.operation.variable_definitions or ()
    coerced = get_variable_values(SCHEMA, definitions, dict(variables))
    assert isinstance(coerced, VariableValues), coerced
    run = Run(plan, context_of(root), coerced)
    return await run.execute(), run.returned


async def run_core(
    document: DocumentNode,
    root: Row,
    variables: Mapping[str, Any],
    kind: type[CoreExecutor[Any]] = PlainExecutor,
    *,
    propagates: bool = True,
) -> tuple[ExecutionResult, int]:
    """Run a document by graphql-core. `propagates`: whether errors null what is around them."""
    executor = kind.build(
        SCHEMA, document, raw_variable_values=dict(variables), context_value=context_of(root)
    )
    assert isinstance(executor, kind), executor
    executor.error_propagation = propagates
    if isinstance(executor, Executor):
        executor.counted = COUNTED
    result: Any = executor.execute_operation()
    if executor.is_awaitable(result):
        result = await result
    assert isinstance(result, ExecutionResult)
    return result, getattr(executor, "returned", 0)


async def both(
    text: str | DocumentNode,
    root: Row,
    variables: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
) -> dict[str, Any]:
    """Run a document by both executors; return the plan's response, which must agree."""
    given = variables or {}
    document = parsed(text) if isinstance(text, str) else text
    ours, returned = await run_plan(plan or compiled(document, given), root, given)
    core, _ = await run_core(document, root, given)
    assert dumps(ours.data) == dumps(core.data)
    if ours.errors or core.errors:
        all_, _ = await run_core(document, root, given, propagates=False)
        check_errors(document, ours, core, all_)
    else:
        counting, wanted = await run_core(document, root, given, Executor)
        assert dumps(counting.data) == dumps(core.data)
        assert returned == wanted
    return response(ours)


def response(result: ExecutionResult) -> dict[str, Any]:
    """Make a response, without the locations of its errors."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [{"message": e.message, "path": e.path or []} for e in result.errors]
    return body


def check_errors(
    document: DocumentNode, ours: ExecutionResult, core: ExecutionResult, all_: ExecutionResult
) -> None:
    """Check that a plan's errors explain the same nulls as graphql-core's do.

    `all_`: of the run without nulling.
    """
    occurred = {_signature(error) for error in all_.errors or ()}
    found = list(ours.errors or ())
    for error in found:
        assert _signature(error) in occurred, error
        assert _nulls(document, error, region(ours.data, error.path)), error
    regions = [region(ours.data, error.path) for error in found]
    assert len(set(regions)) == len(regions)
    assert set(regions) == {region(core.data, error.path) for error in core.errors or ()}
    if _is_query(document):
        # Of a mutation, fields after a nulled root are not run.
        assert set(regions) == {region(core.data, error.path) for error in all_.errors or ()}
    ranks = [_rank(all_.data, error) for error in found]
    assert ranks == sorted(ranks)


def region(data: Any, place: Sequence[str | int] | None) -> Path:
    """Return the position in the data that is null because of an error of this path."""
    path = tuple(place or ())
    value = data
    for length, key in enumerate(path):
        if value is None:
            return path[:length]
        value = value[key]
    assert value is None, path
    return path


def _signature(error: GraphQLError) -> tuple[object, ...]:
    return (
        error.message,
        tuple(error.path or ()),
        tuple(error.locations or ()),
        str(error.extensions),
        _kind(error.original_error or GraphQLError("")),
    )


def _kind(error: Exception) -> type[Any]:
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _rank(data: Any, error: GraphQLError) -> list[int]:
    """Return where an error is in the order of the response, by the data without nulling."""
    rank, value = [], data
    for key in error.path or ():
        rank.append(key if isinstance(key, int) else list(value).index(key))
        value = value[key]
    return rank


def _nulls(document: DocumentNode, error: GraphQLError, nulled: Path) -> bool:
    """Return whether all positions of an error's path below a region are non-null."""
    fields, path = _fields(document), tuple(error.path or ())
    return not any(
        _is_nullable(fields, path[:length]) for length in range(len(nulled) + 1, len(path) + 1)
    )


def _fields(document: DocumentNode) -> dict[str, str]:
    """Collect the names of fields by response key: an alias must stand for one alone."""
    fields: dict[str, str] = {}

    class Collector(Visitor):
        def enter_field(self, node: FieldNode, *_rest: Any) -> None:
            key = (node.alias or node.name).value
            assert fields.setdefault(key, node.name.value) == node.name.value

    visit(document, Collector())
    return fields


def _is_nullable(fields: Mapping[str, str], path: Path) -> bool:
    indexes = 0
    while isinstance(path[-1 - indexes], int):
        indexes += 1
    type_: Any = FIELD_TYPES[fields[str(path[-1 - indexes])]]
    for _ in range(indexes):
        type_ = (type_.of_type if isinstance(type_, GraphQLNonNull) else type_).of_type
    return not isinstance(type_, GraphQLNonNull)


def _is_query(document: DocumentNode) -> bool:
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.operation is OperationType.QUERY
