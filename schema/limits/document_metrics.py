"""How large a document is, before it is validated: each fragment is walked through once.

What fragments hold is worked out once and used for all their spreads, so that no document takes
more time than its text is long.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from schema.limits.document_limits import DocumentLimits, check

Definition = OperationDefinitionNode | FragmentDefinitionNode

INTROSPECTION = frozenset({"__schema", "__type"})
CONDITIONS = frozenset({"skip", "include"})


@dataclass(slots=True)
class Outline:
    """One definition, without what its spreads add. `spreads`: of what, and how deep."""

    own_depth: int = 0
    spreads: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class DocumentMetrics:
    """A document's size. `conditions`: the variables that `@skip` and `@include` go by.

    `visits` counts how often a fragment was looked through.
    """

    operations: int = 0
    depth: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    list_items: int = 0
    introspects: bool = False
    conditions: set[str] = field(default_factory=set)
    visits: int = 0


def measure(document: DocumentNode, limits: DocumentLimits | None) -> DocumentMetrics:
    """Measure a parsed document, which need not be valid.

    Raises LimitError where it is beyond a limit; without limits, it may be of any size.
    """
    found = DocumentMetrics()
    fragments: dict[str, FragmentDefinitionNode] = {}
    outlines: dict[str, Outline] = {}
    operations: list[tuple[OperationDefinitionNode, Outline]] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            found.visits += 1
            fragments[definition.name.value] = definition
            outlines[definition.name.value] = _outline(definition, found)
        elif isinstance(definition, OperationDefinitionNode):
            operations.append((definition, _outline(definition, found)))
    found.operations = len(operations)
    if limits is not None:
        # First, for what follows is done for each of them.
        words = "The document has {} operations"
        check("operations", found.operations, limits.max_operations, words)
    depths = _depths(outlines, found)
    for operation, outline in operations:
        found.depth = max(found.depth, _depth(outline, depths))
        names = _root_names(operation, fragments, found)
        found.root_fields = max(found.root_fields, len(names))
    if limits is not None:
        _check(found, limits)
    return found


def _check(found: DocumentMetrics, limits: DocumentLimits) -> None:
    check("depth", found.depth, limits.max_depth, "The document's fields are nested {} deep")
    words = "The operation has {} fields at its root"
    check("rootFields", found.root_fields, limits.max_root_fields, words)
    check("aliases", found.aliases, limits.max_aliases, "The document has {} aliases")
    check("directives", found.directives, limits.max_directives, "The document has {} directives")
    check(
        "listItems", found.list_items, limits.max_list_items, "The document has a list of {} items"
    )


def _outline(definition: Definition, found: DocumentMetrics) -> Outline:
    """Walk through one definition, adding to what was `found` of the document."""
    outline = Outline()
    _note(definition, found)
    for variable in definition.variable_definitions or ():
        _note(variable, found)
        if variable.default_value is not None:
            found.list_items = max(found.list_items, _longest([variable.default_value]))
    stack = [(definition.selection_set, 1)]
    while stack:
        selection_set, depth = stack.pop()
        for selection in selection_set.selections:
            _note(selection, found)
            if isinstance(selection, FragmentSpreadNode):
                outline.spreads.append((selection.name.value, depth))
                continue
            below = depth
            if isinstance(selection, FieldNode):
                outline.own_depth = max(outline.own_depth, depth)
                found.aliases += selection.alias is not None
                found.introspects |= selection.name.value in INTROSPECTION
                below += 1
            nested: SelectionSetNode | None = selection.selection_set  # type: ignore[attr-defined]
            if nested is not None:
                stack.append((nested, below))
    return outline


def _note(node: Any, found: DocumentMetrics) -> None:
    """Count a node's directives, and the items of the lists in its arguments and theirs."""
    arguments = list(getattr(node, "arguments", None) or ())
    for directive in node.directives or ():
        found.directives += 1
        arguments += directive.arguments or ()
        if directive.name.value in CONDITIONS:
            values = [argument.value for argument in directive.arguments or ()]
            found.conditions |= {v.name.value for v in values if isinstance(v, VariableNode)}
    if arguments:
        longest = _longest(argument.value for argument in arguments)
        found.list_items = max(found.list_items, longest)


def _longest(values: Iterable[ValueNode]) -> int:
    longest = 0
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, ListValueNode):
            longest = max(longest, len(value.values))
            stack += value.values
        elif isinstance(value, ObjectValueNode):
            stack += [each.value for each in value.fields]
    return longest


def _depths(outlines: Mapping[str, Outline], found: DocumentMetrics) -> dict[str, int]:
    """Work out each fragment's depth, those it spreads first; a cycle adds nothing."""
    depths: dict[str, int] = {}
    entered: set[str] = set()

    def enter(name: str) -> tuple[str, Iterator[tuple[str, int]]]:
        found.visits += 1
        entered.add(name)
        return name, iter(outlines[name].spreads)

    for root in outlines:
        path = [] if root in entered else [enter(root)]
        while path:
            name, spreads = path[-1]
            below = (spread for spread, _ in spreads if spread in outlines)
            following = next((spread for spread in below if spread not in entered), None)
            if following is not None:
                path.append(enter(following))
            else:
                path.pop()
                depths[name] = _depth(outlines[name], depths)
    return depths


def _depth(outline: Outline, depths: Mapping[str, int]) -> int:
    through = (at - 1 + depths.get(name, 0) for name, at in outline.spreads)
    return max(outline.own_depth, *through, 0)


def _root_names(
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    found: DocumentMetrics,
) -> set[str]:
    """Collect the response names at the operation's root, through its fragments, once each."""
    names: set[str] = set()
    entered: set[str] = set()
    stack = [operation.selection_set]
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FieldNode):
                names.add((selection.alias or selection.name).value)
            elif not isinstance(selection, FragmentSpreadNode):
                stack.append(selection.selection_set)  # type: ignore[attr-defined]
            elif selection.name.value in fragments and selection.name.value not in entered:
                found.visits += 1
                entered.add(selection.name.value)
                stack.append(fragments[selection.name.value].selection_set)
    return names
