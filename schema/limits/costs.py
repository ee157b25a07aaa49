"""The cost of an operation: the number of objects that it could return, given its page sizes.

It is computed in two steps. Once per document: how lists are nested, with fields merged as in
execution. For each request: the sizes of the lists, from its variables.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
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
    format_sum,
    total,
    total_input_size,
)
from schema.limits.document_limits import DocumentLimits, LimitError, check
from schema.limits.input_sizes import argument_size
from schema.limits.list_sizes import ListSizes, Size, one, zero
from schema.selected_fields import is_included, selected_fields

# The selections that may be visited for one document. Fragments can be merged in a number of
# combinations that is exponential in the length of the document.
MAX_STEPS = 20_000
# The objects that a response may have for each point of the maximum cost. Connections, edges and
# the like cost no points, but take time.
OBJECTS_PER_POINT = 3


class PageSize(NamedTuple):
    """The page or list that a field belongs to: its response name and its size."""

    label: str
    size: Size


class CostPlan:
    """The cost terms of one operation.

    `conditions`: the values of the variables in `@skip` and `@include`. `input_size`: the size of
    the arguments of all fields.
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
        self._cache: dict[tuple[object, ...], CostTerms] = {}
        self._pages: dict[int, PageSize] = {}
        self.steps = 0
        self.visits = 0
        root = schema.get_root_type(operation.operation)
        assert root is not None
        self._terms = self._below(root, (operation.selection_set,), None)
        self.input_size = total_input_size(self._terms)
        self._fixed = None if operation.variable_definitions else self._sum({})

    def cost(self, variables: Variables) -> int:
        """Return the cost with these variables. Raises LimitError if it exceeds the limit."""
        cost, objects = self._sum(variables) if self._fixed is None else self._fixed
        if cost > self._limits.max_cost:
            maximum = self._limits.max_cost
            raise LimitError(
                ErrorCode.COST_EXCEEDED,
                f"The query could return {format_sum(self._terms, variables)} = {cost} objects; at "
                f"most {maximum} are allowed. Request smaller pages, or less in each.",
                limit="cost",
                max=maximum,
                actual=cost,
            )
        message = "The query could return {} objects, including connections and edges"
        check("objects", objects, OBJECTS_PER_POINT * self._limits.max_cost, message)
        return cost

    def _sum(self, variables: Variables) -> Value:
        return total(self._terms, variables, {})

    def _below(
        self, type_: GraphQLObjectType, sets: tuple[SelectionSetNode, ...], page: PageSize | None
    ) -> CostTerms:
        key = (type_.name, page, *map(id, sets))
        cached = self._cache.get(key)
        if cached is None:
            terms: list[CostTerm] = []
            for name, nodes in self._fields(type_, sets).items():
                terms += self._field(type_, name, nodes, page)
            cached = self._cache[key] = tuple(terms)
        return cached

    def _field(
        self, type_: GraphQLObjectType, name: str, nodes: Sequence[FieldNode], page: PageSize | None
    ) -> Iterable[CostTerm]:
        field = self._schema.get_field(type_, nodes[0].name.value)
        assert field is not None
        if nodes[0].arguments:
            input_size = argument_size(nodes[0], field)
            yield CostTerm(name, zero, counts=False, input_size=input_size)
        named = get_named_type(field.type)
        if is_leaf_type(named):
            return
        field_key = (type_.name, nodes[0].name.value)
        own = self._page(nodes[0], name, field_key)
        inherited = page if field_key in self._list_sizes.inherited else None
        label, size = own or inherited or PageSize(name, one)
        if type_ is self._schema.mutation_type:
            # The changed jobs count even if they are not selected.
            yield CostTerm(label, size, counts=True, objects=size)
        sets = tuple(
            {id(n.selection_set): n.selection_set for n in nodes if n.selection_set}.values()
        )
        types = self._concrete(named)
        is_list = _is_list(field.type)
        counts = self._counts(types, is_list=is_list)
        alternatives = tuple(
            self._below(each, sets, None if counts else own or page) for each in types
        )
        objects = size if counts or is_list else one
        yield CostTerm(label, size if counts else one, counts, alternatives, objects)

    def _page(self, node: FieldNode, name: str, field_key: tuple[str, str]) -> PageSize | None:
        sizing = self._list_sizes.sizes.get(field_key)
        if sizing is None:
            return None
        # One object per node, since it is part of the cache key.
        page = self._pages.get(id(node))
        if page is None:
            page = self._pages[id(node)] = PageSize(name, sizing(node, self._limits))
        return page

    def _fields(
        self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """Collect the fields selected on an object of this type by their response names."""
        fields: dict[str, list[FieldNode]] = {}
        for field in selected_fields(
            sets,
            self._fragments,
            includes=self._includes,
            applies=lambda fragment: self._applies(fragment, type_),
        ):
            fields.setdefault((field.alias or field.name).value, []).append(field)
        return fields

    def _includes(self, selection: SelectionNode) -> bool:
        self.steps += 1
        check("steps", self.steps, MAX_STEPS, "Computing the cost of the query takes {} steps")
        return is_included(selection, self._conditions)

    def _applies(
        self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_: GraphQLObjectType
    ) -> bool:
        self.visits += isinstance(fragment, FragmentDefinitionNode)
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
