"""graphql-core's executor, with fast paths for most fields of a response.

Plain fields, columns of a row mostly, are answered on the spot, and so are lists of objects that
have no others. Resolvers are called as they are. Whatever fits neither, and whatever goes wrong,
takes graphql-core's ordinary way.
"""

from collections.abc import Awaitable, Iterable
from typing import Any, TypeGuard

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    GroupedFieldSet,
    collect_fields,
)
from graphql.execution.executor import Executor as CoreExecutor
from graphql.pyutils import AwaitableOrValue, Path

from schema.execution.field_plans import Call, Plan


class Executor(CoreExecutor[Any]):
    """Runs one operation.

    `returned`: how many objects of the `counted` types the response has, as its cost is counted.
    """

    counted: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_awaitable = _is_awaitable
        self._plans: dict[int, Plan] = {}
        self._calls: dict[int, Call] = {}
        self.returned = 0

    def for_event(self, event: Any, context: Any) -> "Executor":
        """Make the executor of one event of a subscription, which keeps nothing for the next."""
        executor: Executor = self.build_per_event_executor(event)  # type: ignore[assignment]
        executor.context_value = context
        executor.counted = self.counted
        executor._plans = {}
        executor._calls = {}
        executor.returned = 0
        # Its keys are the selections of this event: it would only grow.
        executor._relevant_sub_fields = {}
        return executor

    def root_fields(self) -> list[tuple[FieldNode, GraphQLField]]:
        """Return the fields of the operation's root type that are selected.

        None where they cannot be collected, which is reported when the operation is run.
        """
        root_type = self.schema.get_root_type(self.operation.operation)
        assert root_type is not None
        try:
            collected = collect_fields(
                self.schema, self.fragments, self.variable_values, root_type, self.operation
            )
        except GraphQLError:
            return []
        nodes = (details[0].node for details in collected.grouped_field_set.values())
        fields = root_type.fields
        return [(node, fields[node.name.value]) for node in nodes if node.name.value in fields]

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Answer the fields of one object, plain ones on the spot."""
        plan = self._plan(parent_type, grouped_field_set, path)
        self.context_value.size.bytes += plan.width
        results, others = plan.answer(source_value)
        if not others:
            return results
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(rest, dict):
            results.update(rest)
            return results

        async def merge() -> dict[str, Any]:
            results.update(await rest)
            return results

        return merge()

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Answer a list; one of objects with plain fields only on the spot."""
        of_type = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        if isinstance(of_type, GraphQLObjectType) and isinstance(items, list):
            fields = self.collect_subfields(of_type, field_details_list).grouped_field_set
            plan = self._plan(of_type, fields, path)
            if plan.is_plain:
                answers = [plan.answer(item) for item in items]
                if not any(others for _, others in answers):
                    self.returned += len(answers) if of_type.name in self.counted else 0
                    self.context_value.size.bytes += plan.width * len(answers)
                    return [results for results, _ in answers]
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Answer an object, and count it."""
        if return_type.name in self.counted:
            self.returned += 1
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Answer one field by its call, if there is one; complete its value the ordinary way."""
        call = self._calls.get(id(field_details_list))
        if call is None:
            return super().execute_field(
                parent_type, source, field_details_list, path, position_context
            )
        try:
            value = call.resolve(source)
            if _is_awaitable(value):
                return self.complete_awaitable_value(
                    call.type, field_details_list, call.info, path, value, position_context
                )
            completed = self.complete_value(
                call.type, field_details_list, call.info, path, value, position_context
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the field's
            self.handle_field_error(error, call.type, field_details_list, path)
            return None
        if _is_awaitable(completed):
            return self._settled(completed, call, field_details_list, path)
        return completed

    async def _settled(
        self, completed: Awaitable[Any], call: Call, details: FieldDetailsList, path: Path
    ) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - as above
            self.handle_field_error(error, call.type, details, path)
            return None

    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo[Any]:
        """Hand resolvers the variables as the plain dict that Strawberry expects."""
        info = super().build_resolve_info(field_def, field_nodes, parent_type, path)
        return info._replace(variable_values=self.variable_values.coerced)  # type: ignore[arg-type]

    def _plan(
        self, parent_type: GraphQLObjectType, fields: GroupedFieldSet, path: Path | None
    ) -> Plan:
        plan = self._plans.get(id(fields))
        if plan is None:
            plan = self._plans[id(fields)] = Plan(self, parent_type, fields, path)
            self._calls |= {id(step.details): step.call for step in plan.steps if step.call}
        return plan


def _is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    # By type: looking up an attribute that a row does not have is slow.
    return hasattr(type(value), "__await__")
