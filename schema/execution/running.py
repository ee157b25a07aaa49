"""Runs plans: level by level, all objects of a level at once.

A level's values keep their order and number on the way down and back up, so that each result finds
its parent by its index. In the place of a value may be a Failure, see schema.execution.failures.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate, chain
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    FieldNode,
    Undefined,
    located_error,
)
from graphql.execution.values import VariableValues

from db.queries.written import WrittenRows
from resolvers.context import Context
from schema.execution.failures import Batch, Failure, Fields, Items, Place, Root, Some, reported
from schema.execution.plans import Level, Plan, Shape, Step
from schema.execution.projections import serialize
from schema.execution.resolving import Calls, settled
from schema.execution.value_types import listed, type_name


class Run:
    """One execution of a plan. `returned`: how many objects of the counted types it returns.

    `event`: the value of a subscription's root field.
    """

    def __init__(
        self, plan: Plan, context: Context, variables: VariableValues, event: Any = None
    ) -> None:
        # All fields of a level are settled: none is cancelled alone.
        context.shields_reads = False
        self.context = context
        self.returned = 0
        self.waits = plan.root.waits
        self._plan = plan
        self._variables = variables
        self._calls = Calls(plan, context, variables, event)
        self._failures: list[Failure] = []

    def for_event(self, event: Any, context: Context) -> "Run":
        """Make the execution of one event of a subscription."""
        return Run(self._plan, context, self._variables, event)

    async def execute(self) -> ExecutionResult:
        """Execute the operation; its errors are in the result, in the order of the response."""
        data = await self._data()
        return ExecutionResult(data, reported(self._failures) if self._failures else None)

    async def _data(self) -> dict[str, Any] | None:
        root, batch = self._plan.root, Root()
        if self._plan.operation.operation.value == "mutation":
            (result,) = await self._serially(root, batch)
        else:
            (result,) = await self._objects(root, [None], batch)
        if isinstance(result, Failure):
            result.nulled = ()
            return None
        data: dict[str, Any] = result
        return data

    async def _serially(self, root: Level, batch: Batch) -> list[Any]:
        if root.error is not None:
            return [self._fail(root.error, (), batch.place(0))]
        results = self._projected(root, [None], batch)
        for step in root.steps:
            if isinstance(results[0], Failure):
                # The data is null: the specification lets later mutations not be run.
                break
            self._assign(step, results, await self._field(step, [None], batch))
        return results

    async def _objects(self, level: Level, sources: Sequence[Any], batch: Batch) -> list[Any]:
        """Answer the selected fields of objects of one type."""
        if level.counts:
            self.returned += len(sources)
        if level.error is not None:
            return [self._fail(level.error, (), batch.place(i)) for i in range(len(sources))]
        size = self.context.size
        size.bytes += level.width * len(sources)
        if size.is_too_large:
            # The response is replaced by an error.
            return [{} for _ in sources]
        failures = len(self._failures)
        results = self._projected(level, sources, batch)
        if not level.steps:
            return results
        alive: list[Any] = results
        if len(self._failures) != failures:
            indexes = [i for i, each in enumerate(results) if not isinstance(each, Failure)]
            sources = [sources[i] for i in indexes]
            alive = [results[i] for i in indexes]
            batch = Some(batch, indexes)
        if not sources:
            return results
        columns = await self._columns(level, sources, batch)
        for step, column in zip(level.steps, columns, strict=True):
            self._assign(step, alive, column)
        if alive is not results:
            for i, each in zip(indexes, alive, strict=True):
                results[i] = each
        return results

    async def _columns(
        self, level: Level, sources: Sequence[Any], batch: Batch
    ) -> Sequence[Sequence[Any]]:
        """Get the values of the fields of a level, watched if it has to wait for them."""
        watch = self.context.watch_level
        if watch is None or not level.waits:
            return await self._fields(level.steps, sources, batch)
        with watch(level.type.name, len(sources)):
            return await self._fields(level.steps, sources, batch)

    async def _fields(
        self, steps: Sequence[Step], sources: Sequence[Any], batch: Batch
    ) -> Sequence[Sequence[Any]]:
        """Get the values of several fields; concurrently, so that their loaders can batch."""
        waiting = [step for step in steps if step.waits]
        if len(waiting) < 2:  # noqa: PLR2004
            return [await self._field(step, sources, batch) for step in steps]
        # Each settles all that it has begun, so that nothing is left when the first one fails.
        return await settled(self._field(step, sources, batch) for step in steps)

    def _projected(self, level: Level, sources: Sequence[Any], batch: Batch) -> list[Any]:
        assert level.project is not None
        try:
            return level.project(sources, self._calls.leaf_info, self.context.size)
        except Exception:  # noqa: BLE001 - is met again, by the field that it belongs to
            return [self._one_by_one(level, each, batch.place(i)) for i, each in enumerate(sources)]

    def _one_by_one(self, level: Level, source: Any, place: Place) -> dict[str, Any] | Failure:
        """Answer the leaves of one object, each with its own error."""
        answers: dict[int, Any] = {}
        for leaf in level.leaves:
            try:
                value = leaf.value(source, self._calls.leaf_info)
            except Exception as error:  # noqa: BLE001 - is the field's
                failure = self._fail(error, leaf.nodes, place.below(leaf.name, leaf.ordinal))
                if not leaf.nullable:
                    return failure
                failure.nulled = (*place.path, leaf.name)
                value = None
            answers[leaf.ordinal] = leaf.name, value
        answers |= {step.ordinal: (step.name, None) for step in level.steps}
        return dict(answers[ordinal] for ordinal in sorted(answers))

    def _assign(self, step: Step, results: list[Any], values: Sequence[Any]) -> None:
        name = step.name
        if self._failures:
            for i, (result, value) in enumerate(zip(results, values, strict=True)):
                if isinstance(result, Failure):
                    continue
                if isinstance(value, Failure):
                    results[i] = value
                else:
                    result[name] = value
        else:
            for result, value in zip(results, values, strict=True):
                result[name] = value

    async def _field(self, step: Step, sources: Sequence[Any], batch: Batch) -> Sequence[Any]:
        values = await self._calls.values(step, sources)
        batch = Fields(batch, step.name, step.ordinal)
        return await self._complete(step.shape, values, step, batch)

    async def _complete(
        self, shape: Shape, values: Sequence[Any], step: Step, batch: Batch
    ) -> Sequence[Any]:
        """Complete values of one type, as the specification's CompleteValue does for each."""
        classes = {value.__class__ for value in values}
        if classes == {WrittenRows}:
            return self._written(shape, values)
        if classes <= shape.classes:
            name = next(iter(shape.levels), "")
            return await self._completed(shape, name, values, step, batch)
        values = list(values)
        results: list[Any] = [None] * len(values)
        groups: dict[str, list[int]] = {}
        for i, value in enumerate(values):
            if value.__class__ is WrittenRows:
                (results[i],) = self._written(shape, [value])
                continue
            if value is None or value is Undefined:
                if not shape.nullable:
                    null = TypeError(f"Cannot return null for non-nullable field {step.label}.")
                    results[i] = self._fail(null, step.nodes, batch.place(i))
                continue
            try:
                name = type_name(shape, value, step, self._calls)
                values[i] = listed(shape, value)
                groups.setdefault(name, []).append(i)
            except Exception as error:  # noqa: BLE001 - is the field's
                failure = self._fail(error, step.nodes, batch.place(i))
                results[i] = self._nulled(shape, failure, batch, i)
        for name, indexes in groups.items():
            chosen = [values[i] for i in indexes]
            some = await self._completed(shape, name, chosen, step, Some(batch, indexes))
            for i, result in zip(indexes, some, strict=True):
                results[i] = result
        return results

    def _written(self, shape: Shape, lists: Sequence[WrittenRows]) -> list[orjson.Fragment]:
        """Complete lists that PostgreSQL has written."""
        assert shape.item is not None
        if any(level.counts for level in shape.item.levels.values()):
            self.returned += sum([rows.number for rows in lists])
        self.context.size.bytes += sum([len(rows.text) for rows in lists])
        return [orjson.Fragment(rows.text) for rows in lists]

    async def _completed(
        self, shape: Shape, name: str, values: Sequence[Any], step: Step, batch: Batch
    ) -> Sequence[Any]:
        """Complete values that are neither null nor errors, objects of the type `name`."""
        failures = len(self._failures)
        if shape.item is not None:
            results = await self._lists(shape.item, values, step, batch)
        elif shape.levels:
            results = await self._objects(shape.levels[name], values, batch)
        else:
            results = self._leaves(shape, values, step, batch)
        if len(self._failures) == failures:
            return results
        return [
            self._nulled(shape, result, batch, i) if isinstance(result, Failure) else result
            for i, result in enumerate(results)
        ]

    async def _lists(
        self, item: Shape, lists: Sequence[Sequence[Any]], step: Step, batch: Batch
    ) -> Sequence[Any]:
        ends = list(accumulate(map(len, lists)))
        starts = [0, *ends[:-1]] if ends else []
        failures = len(self._failures)
        items = await self._complete(
            item, list(chain.from_iterable(lists)), step, Items(batch, starts)
        )
        results = [items[start:end] for start, end in zip(starts, ends, strict=True)]
        if len(self._failures) == failures:
            return results
        return [next((i for i in each if isinstance(i, Failure)), each) for each in results]

    def _leaves(
        self, shape: Shape, values: Sequence[Any], step: Step, batch: Batch
    ) -> Sequence[Any]:
        results: list[Any] = []
        complete = shape.complete
        for i, value in enumerate(values):
            try:
                result = value if complete is None else complete(value)
                results.append(serialize(shape.of, value) if result is None else result)
            except Exception:  # noqa: BLE001 - graphql-core's own error is raised below
                try:
                    results.append(serialize(shape.of, value))
                except Exception as error:  # noqa: BLE001 - is the field's
                    results.append(self._fail(error, step.nodes, batch.place(i)))
        self.context.size.bytes += sum(len(each) for each in results if isinstance(each, str))
        return results

    def _fail(self, error: Exception, nodes: Collection[FieldNode], place: Place) -> Failure:
        failure = Failure(located_error(error, nodes, list(place.path)), place.rank)
        self._failures.append(failure)
        return failure

    def _nulled(self, shape: Shape, failure: Failure, batch: Batch, index: int) -> Any:
        """Return null for a failed value where that is possible, else the failure."""
        if not shape.nullable:
            return failure
        failure.nulled = batch.place(index).path
        return None
