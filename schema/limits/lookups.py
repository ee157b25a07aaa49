"""Operations that only use lookups by id: these are short, and need not queue behind long ones."""

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    OperationType,
)

from schema.selected_fields import selected_fields

# Root fields that read or write by id.
BY_ID: Mapping[OperationType, frozenset[str]] = {
    OperationType.QUERY: frozenset({"job", "node", "nodes", "server", "viewer"}),
    OperationType.MUTATION: frozenset(
        {
            "cancelJob",
            "createJob",
            "recordJobEvent",
            "rerunJob",
            "rescheduleJob",
            "retryJob",
            "transitionJob",
        }
    ),
    # The feed reads their events.
    OperationType.SUBSCRIPTION: frozenset({"errorGroupSeen", "job", "jobEvents"}),
}


def is_lookup(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Return whether all root fields of an operation are lookups by id."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    by_id = BY_ID[operation.operation]
    names = {field.name.value for field in selected_fields([operation.selection_set], fragments)}
    return all(name in by_id or name.startswith("__") for name in names)
