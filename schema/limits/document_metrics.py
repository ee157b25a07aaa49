"""Size metrics of a document, measured before validation.

Each fragment is measured once, for all of its spreads, so that the time is linear in the length of
the document.
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
from schema.selected_fields import CONDITIONS, Fragment, selected_fields

Definition = OperationDefinitionNode | FragmentDefinitionNode

INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Outline:
    """The metrics of one definition without its spreads: `spreads` has their names and depths."""

    own_depth: int = 0
    spreads: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class DocumentMetrics:
    """The size metrics of a document.

    `conditions`: the variables used in `@skip` and `@include`. `visits`: how often fragments were
    traversed.
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

    Raises LimitError if it exceeds one of the limits, if there are any.
    """
    metrics = DocumentMetrics()
    fragments: dict[str, FragmentDefinitionNode] = {}
    outlines: dict[str, Outline] = {}
    operations: list[tuple[OperationDefinitionNode, Outline]] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            metrics.visits += 1
            fragments[definition.name.value] = definition
            outlines[definition.name.value] = _outline(definition, metrics)
        elif isinstance(definition, OperationDefinitionNode):
            operations.append((definition, _outline(definition, metrics)))
    metrics.operations = len(operations)
    if limits is not None:
        # Checked first, since the work below is done for each operation.
        message = "The document has {} operations"
        check("operations", metrics.operations, limits.max_operations, message)
    depths = _depths(outlines, metrics)
    for operation, outline in operations:
        metrics.depth = max(metrics.depth, _depth(outline, depths))
        names = _root_names(operation, fragments, metrics)
        metrics.root_fields = max(metrics.root_fields, len(names))
    if limits is not None:
        _check(metrics, limits)
    return metrics


def _check(metrics: DocumentMetrics, limits: DocumentLimits) -> None:
    check("depth", metrics.depth, limits.max_depth, "The document's fields are nested {} deep")
    message = "The operation has {} root fields"
    check("rootFields", metrics.root_fields, limits.max_root_fields, message)
    check("aliases", metrics.aliases, limits.max_aliases, "The document has {} aliases")
    check("directives", metrics.directives, limits.max_directives, "The document has {} directives")
    check(
        "listItems",
        metrics.list_items,
        limits.max_list_items,
        "The document has a list of {} items",
    )


def _outline(definition: Definition, metrics: DocumentMetrics) -> Outline:
    """Measure one definition, and add to the metrics of the document."""
    outline = Outline()
    _count(definition, metrics)
    for variable in definition.variable_definitions or ():
        _count(variable, metrics)
        if variable.default_value is not None:
            metrics.list_items = max(metrics.list_items, _longest([variable.default_value]))
    stack = [(definition.selection_set, 1)]
    while stack:
        selection_set, depth = stack.pop()
        for selection in selection_set.selections:
            _count(selection, metrics)
            if isinstance(selection, FragmentSpreadNode):
                outline.spreads.append((selection.name.value, depth))
                continue
            below = depth
            if isinstance(selection, FieldNode):
                outline.own_depth = max(outline.own_depth, depth)
                metrics.aliases += selection.alias is not None
                metrics.introspects |= selection.name.value in INTROSPECTION
                below += 1
            nested: SelectionSetNode | None = selection.selection_set  # type: ignore[attr-defined]
            if nested is not None:
                stack.append((nested, below))
    return outline


def _count(node: Any, metrics: DocumentMetrics) -> None:
    """Count the directives of a node, and the list items in its and their arguments."""
    arguments = list(getattr(node, "arguments", None) or ())
    for directive in node.directives or ():
        metrics.directives += 1
        arguments += directive.arguments or ()
        if directive.name.value in CONDITIONS:
            values = [argument.value for argument in directive.arguments or ()]
            metrics.conditions |= {v.name.value for v in values if isinstance(v, VariableNode)}
    if arguments:
        longest = _longest(argument.value for argument in arguments)
        metrics.list_items = max(metrics.list_items, longest)


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


def _depths(outlines: Mapping[str, Outline], metrics: DocumentMetrics) -> dict[str, int]:
    """Compute the depth of each fragment, after those that it spreads; cycles are ignored."""
    depths: dict[str, int] = {}
    visited: set[str] = set()

    def enter(name: str) -> tuple[str, Iterator[tuple[str, int]]]:
        metrics.visits += 1
        visited.add(name)
        return name, iter(outlines[name].spreads)

    for root in outlines:
        path = [] if root in visited else [enter(root)]
        while path:
            name, spreads = path[-1]
            below = (spread for spread, _ in spreads if spread in outlines)
            following = next((spread for spread in below if spread not in visited), None)
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
    metrics: DocumentMetrics,
) -> set[str]:
    """Collect the response names of the operation's root fields, also through fragments."""

    def visit(fragment: Fragment) -> bool:
        metrics.visits += isinstance(fragment, FragmentDefinitionNode)
        return True

    fields = selected_fields([operation.selection_set], fragments, applies=visit)
    return {(field.alias or field.name).value for field in fields}
