"""Walks through selections: for the columns that fields need, for costs, and for limits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

Fragment = FragmentDefinitionNode | InlineFragmentNode

CONDITIONS = frozenset({"skip", "include"})


def selected_fields(
    selection_sets: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    *,
    includes: Callable[[SelectionNode], bool] = lambda _: True,
    applies: Callable[[Fragment], bool] = lambda _: True,
) -> Iterator[FieldNode]:
    """Yield the selected fields in the order of the document, also those of fragments.

    Each named fragment is entered once; unknown ones are left out. `includes` decides whether a
    selection is walked at all, `applies` whether a fragment is entered.
    """
    visited: set[str] = set()
    stack = [iter(selection_set.selections) for selection_set in selection_sets]
    stack.reverse()
    while stack:
        selection = next(stack[-1], None)
        if selection is None:
            stack.pop()
        elif not includes(selection):
            continue
        elif isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, FragmentSpreadNode):
            fragment = fragments.get(selection.name.value)
            if fragment is not None and selection.name.value not in visited:
                visited.add(selection.name.value)
                if applies(fragment):
                    stack.append(iter(fragment.selection_set.selections))
        elif isinstance(selection, InlineFragmentNode) and applies(selection):
            stack.append(iter(selection.selection_set.selections))


def is_included(selection: SelectionNode, variables: Mapping[str, Any]) -> bool:
    """Whether `@skip` and `@include` leave a selection of a valid document in, by the variables."""
    for directive in selection.directives or ():
        if directive.name.value in CONDITIONS:
            value: Any = (directive.arguments or ())[0].value
            is_variable = isinstance(value, VariableNode)
            is_true = variables.get(value.name.value) if is_variable else value.value
            if bool(is_true) == (directive.name.value == "skip"):
                return False
    return True
