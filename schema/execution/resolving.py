"""Calls the resolvers of a plan's steps, for one request."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

from graphql import GraphQLResolveInfo
from graphql.execution.values import VariableValues

from resolvers.context import Context
from schema.execution.compiling import convert
from schema.execution.infos import PlannedInfo
from schema.execution.plans import Plan, Step, Way

T = TypeVar("T")
Call = Callable[[Any], Any]


class Calls:
    """The resolvers of one execution of a plan.

    `event`: the value of a subscription's root field. `leaf_info`: the info of all leaves, which
    use nothing of it but the context.
    """

    def __init__(self, plan: Plan, context: Context, variables: VariableValues, event: Any) -> None:
        self._schema: Any = plan.schema
        self._context = context
        self._variables = variables
        self._event = event
        self.leaf_info = PlannedInfo(SimpleNamespace(context=context), None, {})

    async def values(self, step: Step, sources: Sequence[Any]) -> Sequence[Any]:
        """Get the values of a field for all sources, in their order. Errors are among them."""
        if step.way is Way.GIVEN:
            return [self._event]
        try:
            given = self._arguments(step)
            if step.way is Way.LEVEL:
                return _checked(await step.function(None, sources, **given), step, sources)
        except Exception as error:  # noqa: BLE001 - is the field's, for each source
            return [error] * len(sources)
        call = _call(step, given)
        if step.way is Way.FUNCTION:
            return _each(call, sources)
        if len(sources) == 1:
            return [await _awaited(call, sources[0])]
        return await settled(_awaited(call, source) for source in sources)

    def info(self, step: Step) -> GraphQLResolveInfo[Any]:
        """Return the info of a field."""
        variables: Any = self._variables.coerced
        return step.info._replace(context=self._context, variable_values=variables)

    def _arguments(self, step: Step) -> dict[str, Any]:
        if step.arguments is None:
            node = step.nodes[0]
            given = convert(self._schema, step.declared, step.definition, node, self._variables)
        else:
            given = dict(step.arguments)
        if step.takes_info is not None:
            given[step.takes_info] = PlannedInfo(self.info(step), step.definition, step.selected)
        return given


async def settled(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines concurrently, and return their results once all have ended."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    return [task.result() for task in tasks]


def _checked(answers: Sequence[Any], step: Step, sources: Sequence[Any]) -> Sequence[Any]:
    if len(answers) != len(sources):
        raise TypeError(f"{step.label} gave {len(answers)} answers to {len(sources)} parents.")
    return answers


def _call(step: Step, given: dict[str, Any]) -> Call:
    function = step.function
    if not given and not step.takes_parent:
        return function
    if step.takes_parent:
        return lambda source: function(source, source, **given)
    return lambda source: function(source, **given)


def _each(call: Call, sources: Sequence[Any]) -> list[Any]:
    """Call a function for each source; an error is the answer of this source alone."""
    if len(sources) == 1:
        # Once: it may be a mutation.
        return [_attempted(call, sources[0])]
    try:
        return [call(source) for source in sources]
    except Exception:  # noqa: BLE001 - is met again below
        return [_attempted(call, source) for source in sources]


def _attempted(call: Call, source: Any) -> Any:
    try:
        return call(source)
    except Exception as error:  # noqa: BLE001 - is the field's
        return error


async def _awaited(call: Callable[[Any], Awaitable[Any]], source: Any) -> Any:
    try:
        return await call(source)
    except Exception as error:  # noqa: BLE001 - is the field's
        return error
