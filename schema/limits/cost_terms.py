"""The parts of a cost: what they come to with a request's variables, and the sum in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schema.limits.input_sizes import Given
from schema.limits.list_sizes import Size, nothing

TERMS_SHOWN = 6

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class CostTerm:
    """What one field adds: `size` objects, if they count, each with one of the `alternatives`.

    `holds`: how many objects it is made of, whether they count or not. `given`: what its arguments
    hold. Terms are shared wherever the same fields are selected, so they form a graph, not a tree.
    """

    label: str
    size: Size
    counts: bool
    alternatives: tuple["CostTerms", ...] = ()
    holds: Size = nothing
    given: Given | None = None


CostTerms = tuple[CostTerm, ...]


class Value(NamedTuple):
    """What parts come to: their cost, and the objects of any kind."""

    cost: int
    objects: int


Values = dict[int, Value]


def total(parts: CostTerms, variables: Variables, values: Values) -> Value:
    """Add up what parts come to, each worked out once however many hold it."""
    each = [_value(part, variables, values) for part in parts]
    return Value(sum(value.cost for value in each), sum(value.objects for value in each))


def _value(part: CostTerm, variables: Variables, values: Values) -> Value:
    known = values.get(id(part))
    if known is None:
        size = part.size(variables)
        below = [total(parts, variables, values) for parts in part.alternatives if size]
        cost = max((value.cost for value in below), default=0)
        objects = max((value.objects for value in below), default=0)
        known = values[id(part)] = Value(
            size * (part.counts + cost), part.holds(variables) + size * objects
        )
    return known


def _dearest(part: CostTerm, variables: Variables, values: Values) -> CostTerms:
    def price(parts: CostTerms) -> int:
        return total(parts, variables, values).cost

    return max(part.alternatives, key=price, default=())


def in_words(parts: CostTerms, variables: Variables) -> str:
    """Write the sum: how many times which list of how many, the largest first."""
    values: Values = {}
    terms: dict[tuple[str, int], int] = {}

    def below(part: CostTerm) -> CostTerms:
        return _dearest(part, variables, values)

    for part, times in _occurrences(parts, below, lambda part: part.size(variables)):
        size = part.size(variables)
        if part.counts and size and times:
            terms[part.label, size] = terms.get((part.label, size), 0) + times
    largest = sorted(terms.items(), key=lambda term: term[0][1] * term[1], reverse=True)
    shown = [f"{count} x {size} {label}" for (label, size), count in largest[:TERMS_SHOWN]]
    return " + ".join([*shown, *(["…"] if len(largest) > TERMS_SHOWN else [])])


def given_in(parts: CostTerms) -> Given:
    """Add up what all arguments hold, once for each place in the answer's shape that has them."""
    total = Given()

    def below(part: CostTerm) -> CostTerms:
        return tuple(child for parts in part.alternatives for child in parts)

    for part, times in _occurrences(parts, below, lambda _: 1):
        if part.given is not None:
            total.add(part.given, times)
    return total


def _occurrences(
    parts: CostTerms, below: Callable[[CostTerm], CostTerms], factor: Callable[[CostTerm], int]
) -> Iterator[tuple[CostTerm, int]]:
    """Tell how often each part occurs; a part comes before those that it holds."""
    ordered: dict[int, tuple[CostTerm, CostTerms]] = {}

    def order(part: CostTerm) -> None:
        if id(part) not in ordered:
            held = below(part)
            for child in held:
                order(child)
            ordered[id(part)] = part, held

    for part in parts:
        order(part)
    times = dict.fromkeys(ordered, 0)
    for part in parts:
        times[id(part)] += 1
    for part, held in reversed(ordered.values()):
        yield part, times[id(part)]
        for child in held:
            times[id(child)] += times[id(part)] * factor(part)
