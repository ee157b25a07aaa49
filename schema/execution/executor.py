"""graphql-core's executor, for what is not compiled: introspection, and all if so set.

It calls the same resolvers as compiled plans do, and counts the same objects and bytes.
"""

from collections.abc import Awaitable
from typing import Any, TypeGuard

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLResolveInfo,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    GroupedFieldSet,
    collect_fields,
)
from graphql.execution.executor import Executor as CoreExecutor
from graphql.pyutils import AwaitableOrValue, Path

from resolvers.context import Context
from schema.execution.sizes import leaf_bytes, object_bytes


class Executor(CoreExecutor[Any]):
    """Runs one operation.

    `returned`: how many objects of the `counted` types the response has, as its cost is counted.
    """

    counted: frozenset[str] = frozenset()
    waits = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_awaitable = _is_awaitable
        self.returned = 0

    @property
    def context(self) -> Context:
        """The context of its resolvers."""
        context: Context = self.context_value
        return context

    async def execute(self) -> ExecutionResult:
        """Execute the operation; its errors are in the result."""
        result = self.execute_operation()
        executed = await result if _is_awaitable(result) else result
        assert isinstance(executed, ExecutionResult)
        return executed

    def for_event(self, event: Any, context: Any) -> "Executor":
        """Make the executor of one event of a subscription, which keeps nothing for the next."""
        executor: Executor = self.build_per_event_executor(event)  # type: ignore[assignment]
        executor.context_value = context
        executor.counted = self.counted
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
        """Answer the fields of one object, and count their bytes."""
        self.context_value.size.bytes += object_bytes(grouped_field_set)
        return super().execute_fields(
            parent_type, source_value, path, grouped_field_set, position_context
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

    def complete_leaf_value(self, return_type: GraphQLLeafType, result: Any) -> Any:  # type: ignore[override]
        """Answer a scalar or enum, and count its bytes if it may be long."""
        value = super().complete_leaf_value(return_type, result)
        self.context_value.size.bytes += leaf_bytes(value)
        return value

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


def _is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    # By type: looking up an attribute that a row does not have is slow.
    return hasattr(type(value), "__await__")
