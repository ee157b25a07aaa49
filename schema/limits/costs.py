"""What a document may cost: the number of objects that it could return by the sizes of its pages.

It is worked out in two steps. Once for a document: which lists stand in which, with fields that
execution would merge merged. For each request: their sizes, by its variables.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type import GraphQLNamedType

from resolvers.errors import ErrorCode
from schema.limits.cost_terms import (
    CostTerm,
    CostTerms,
    Value,
    Variables,
    given_in,
    in_words,
    total,
)
from schema.limits.document_limits import DocumentLimits, LimitError, check
from schema.limits.document_metrics import CONDITIONS
from schema.limits.input_sizes import arguments
from schema.limits.list_sizes import ListSizes, Size, nothing, one

# How many selections may be looked at for one document: a guard for those that would merge
# fragments in ever new combinations, which no limit on the text prevents.
MAX_STEPS = 20_000
# How many objects an answer may have for each point that it may cost: pages, edges and the like
# cost nothing, but take their time.
OBJECTS_PER_POINT = 3


class PageSize(NamedTuple):
    """The page or list that a field is part of: its name in the response, and its size."""

    label: str
    size: Size


class CostPlan:
    """The parts of one operation; `conditions` hold the variables that its directives go by.

    `given`: what the arguments of all its fields hold.
    """

    def __init__(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Variables,
        limits: DocumentLimits,
        schema: GraphQLSchema,
        list_sizes: ListSizes,
    ) -> None:
        self._schema = schema
        self._list_sizes = list_sizes
        self._fragments = fragments
        self._conditions = conditions
        self._limits = limits
        self._known: dict[tuple[object, ...], CostTerms] = {}
        self._pages: dict[int, PageSize] = {}
        self.steps = 0
        self.visits = 0
        root = schema.get_root_type(operation.operation)
        assert root is not None
        self._parts = self._below(root, (operation.selection_set,), None)
        self.given = given_in(self._parts)
        self._fixed = None if operation.variable_definitions else self._sum({})

    def cost(self, variables: Variables) -> int:
        """Work out the cost with these variables; LimitError where it is beyond the limit."""
        cost, objects = self._sum(variables) if self._fixed is None else self._fixed
        if cost > self._limits.max_cost:
            most = self._limits.max_cost
            words = f"The query could return {in_words(self._parts, variables)} = {cost} objects"
            raise LimitError(
                ErrorCode.COST_EXCEEDED,
                f"{words}; at most {most} are allowed. Ask for smaller pages, or for less in each.",
                limit="cost",
                max=most,
                actual=cost,
            )
        words = "The query could return {} objects, with those that only hold others"
        check("objects", objects, OBJECTS_PER_POINT * self._limits.max_cost, words)
        return cost

    def _sum(self, variables: Variables) -> Value:
        return total(self._parts, variables, {})

    def _below(
        self, type_: GraphQLObjectType, sets: tuple[SelectionSetNode, ...], page: PageSize | None
    ) -> CostTerms:
        key = (type_.name, page, *map(id, sets))
        known = self._known.get(key)
        if known is None:
            found: list[CostTerm] = []
            for name, nodes in self._fields(type_, sets).items():
                found += self._field(type_, name, nodes, page)
            known = self._known[key] = tuple(found)
        return known

    def _field(
        self, type_: GraphQLObjectType, name: str, nodes: Sequence[FieldNode], page: PageSize | None
    ) -> Iterable[CostTerm]:
        field = self._schema.get_field(type_, nodes[0].name.value)
        assert field is not None
        if nodes[0].arguments:
            yield CostTerm(name, nothing, counts=False, given=arguments(nodes[0], field))
        named = get_named_type(field.type)
        if is_leaf_type(named):
            return
        place = (type_.name, nodes[0].name.value)
        own = self._page(nodes[0], name, place)
        of_page = page if place in self._list_sizes.of_the_page else None
        label, size = own or of_page or PageSize(name, one)
        if type_ is self._schema.mutation_type:
            # What it changes counts, whatever it tells of it.
            yield CostTerm(label, size, counts=True, holds=size)
        sets = tuple(
            {id(n.selection_set): n.selection_set for n in nodes if n.selection_set}.values()
        )
        types = self._concrete(named)
        is_list = _is_list(field.type)
        counts = self._counts(types, is_list=is_list)
        alternatives = tuple(
            self._below(each, sets, None if counts else own or page) for each in types
        )
        holds = size if counts or is_list else one
        yield CostTerm(label, size if counts else one, counts, alternatives, holds)

    def _page(self, node: FieldNode, name: str, place: tuple[str, str]) -> PageSize | None:
        sizing = self._list_sizes.sizes.get(place)
        if sizing is None:
            return None
        # One for each node, for what is known is found by it.
        page = self._pages.get(id(node))
        if page is None:
            page = self._pages[id(node)] = PageSize(name, sizing(node, self._limits))
        return page

    def _fields(
        self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """Collect what is selected on an object of this type, each fragment entered once."""
        found: dict[str, list[FieldNode]] = {}
        entered: set[str] = set()
        stack = list(sets)
        while stack:
            for selection in stack.pop().selections:
                self.steps += 1
                check("steps", self.steps, MAX_STEPS, "To tell what the query costs takes {} steps")
                if not self._included(selection):
                    continue
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    found.setdefault(name, []).append(selection)
                    continue
                fragment: Any = selection
                if isinstance(selection, FragmentSpreadNode):
                    if selection.name.value in entered:
                        continue
                    self.visits += 1
                    entered.add(selection.name.value)
                    fragment = self._fragments[selection.name.value]
                if self._applies(fragment, type_):
                    stack.append(fragment.selection_set)
        return found

    def _included(self, selection: Any) -> bool:
        for directive in selection.directives or ():
            if directive.name.value in CONDITIONS:
                value = directive.arguments[0].value
                is_variable = isinstance(value, VariableNode)
                holds = self._conditions.get(value.name.value) if is_variable else value.value
                if bool(holds) == (directive.name.value == "skip"):
                    return False
        return True

    def _applies(
        self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_: GraphQLObjectType
    ) -> bool:
        if fragment.type_condition is None or fragment.type_condition.name.value == type_.name:
            return True
        condition = self._schema.get_type(fragment.type_condition.name.value)
        return is_abstract_type(condition) and self._schema.is_sub_type(condition, type_)

    def _concrete(self, type_: GraphQLNamedType) -> Sequence[GraphQLObjectType]:
        if is_abstract_type(type_):
            return self._schema.get_possible_types(type_)
        assert isinstance(type_, GraphQLObjectType)
        return (type_,)

    def _counts(self, types: Iterable[GraphQLObjectType], *, is_list: bool) -> bool:
        counted = self._list_sizes.counted
        return all(
            each.name in counted or (is_list and each.name.startswith("__")) for each in types
        )


def _is_list(type_: Any) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)
