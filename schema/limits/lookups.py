"""Operations that only use lookups by id: these are short, and need not queue behind long ones."""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

# Root fields that read or write by id.
BY_ID: Mapping[OperationType, frozenset[str]] = {
    OperationType.QUERY: frozenset({"job", "node", "nodes", "viewer"}),
    OperationType.MUTATION: frozenset(
        {"cancelJob", "createJob", "recordJobEvent", "retryJob", "transitionJob"}
    ),
    # The feed reads their events.
    OperationType.SUBSCRIPTION: frozenset({"job", "jobEvents"}),
}


def is_lookup(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Return whether all root fields of an operation are lookups by id."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    by_id = BY_ID[operation.operation]
    names = _root_fields(operation.selection_set, fragments)
    return all(name in by_id or name.startswith("__") for name in names)


def _root_fields(
    selection_set: SelectionSetNode, unread: dict[str, FragmentDefinitionNode]
) -> Iterator[str]:
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _root_fields(selection.selection_set, unread)
        elif (fragment := unread.pop(selection.name.value, None)) is not None:  # type: ignore[attr-defined]
            yield from _root_fields(fragment.selection_set, unread)
