"""The terms of a query's cost: their values for given variables, and the sum as text."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schema.limits.input_sizes import InputSize
from schema.limits.list_sizes import Size, zero

TERMS_SHOWN = 6

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class CostTerm:
    """The cost of one field: `size` objects, each with the terms of one of the `alternatives`.

    `counts`: whether the objects add to the cost. `objects`: their number, whether they count or
    not. `alternatives`: the terms below, for each type that the objects may have. `input_size`:
    the size of the field's arguments. Terms are shared between equal selections, so that they form
    a graph, not a tree.
    """

    label: str
    size: Size
    counts: bool
    alternatives: tuple["CostTerms", ...] = ()
    objects: Size = zero
    input_size: InputSize | None = None


CostTerms = tuple[CostTerm, ...]


class Value(NamedTuple):
    """The value of terms: their cost, and the number of all objects."""

    cost: int
    objects: int


Values = dict[int, Value]


def total(terms: CostTerms, variables: Variables, values: Values) -> Value:
    """Add up terms. Each is evaluated once; `values` caches the results by the term's id."""
    each = [_value(term, variables, values) for term in terms]
    return Value(sum(value.cost for value in each), sum(value.objects for value in each))


def _value(term: CostTerm, variables: Variables, values: Values) -> Value:
    value = values.get(id(term))
    if value is None:
        size = term.size(variables)
        below = [total(terms, variables, values) for terms in term.alternatives if size]
        cost = max((each.cost for each in below), default=0)
        objects = max((each.objects for each in below), default=0)
        value = values[id(term)] = Value(
            size * (term.counts + cost), term.objects(variables) + size * objects
        )
    return value


def _most_expensive(term: CostTerm, variables: Variables, values: Values) -> CostTerms:
    def cost(terms: CostTerms) -> int:
        return total(terms, variables, values).cost

    return max(term.alternatives, key=cost, default=())


def format_sum(terms: CostTerms, variables: Variables) -> str:
    """Format the cost as a sum of "count x size label", the largest summands first."""
    values: Values = {}
    summands: dict[tuple[str, int], int] = {}

    def below(term: CostTerm) -> CostTerms:
        return _most_expensive(term, variables, values)

    for term, times in _occurrences(terms, below, lambda term: term.size(variables)):
        size = term.size(variables)
        if term.counts and size and times:
            summands[term.label, size] = summands.get((term.label, size), 0) + times
    largest = sorted(summands.items(), key=lambda item: item[0][1] * item[1], reverse=True)
    shown = [f"{count} x {size} {label}" for (label, size), count in largest[:TERMS_SHOWN]]
    return " + ".join([*shown, *(["…"] if len(largest) > TERMS_SHOWN else [])])


def total_input_size(terms: CostTerms) -> InputSize:
    """Add up the sizes of all arguments, once for each path at which their field is selected."""
    sizes = InputSize()

    def below(term: CostTerm) -> CostTerms:
        return tuple(child for terms in term.alternatives for child in terms)

    for term, times in _occurrences(terms, below, lambda _: 1):
        if term.input_size is not None:
            sizes.add(term.input_size, times)
    return sizes


def _occurrences(
    terms: CostTerms, below: Callable[[CostTerm], CostTerms], factor: Callable[[CostTerm], int]
) -> Iterator[tuple[CostTerm, int]]:
    """Yield how often each term occurs, in topological order: a term before those below it."""
    ordered: dict[int, tuple[CostTerm, CostTerms]] = {}

    def order(term: CostTerm) -> None:
        if id(term) not in ordered:
            children = below(term)
            for child in children:
                order(child)
            ordered[id(term)] = term, children

    for term in terms:
        order(term)
    times = dict.fromkeys(ordered, 0)
    for term in terms:
        times[id(term)] += 1
    for term, children in reversed(ordered.values()):
        yield term, times[id(term)]
        for child in children:
            times[id(child)] += times[id(term)] * factor(term)
