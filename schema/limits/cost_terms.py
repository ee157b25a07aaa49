"""The parts of a cost: what they come to with a request's variables, and the sum in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schema.limits.input_sizes import Given
from schema.limits.list_sizes import Size, nothing

TERMS_SHOWN = 6

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one field adds: `size` objects, if they count, each with one of the `alternatives`.

    `holds`: how many objects it is made of, whether they count or not. `given`: what its arguments
    hold. Parts are shared wherever the same fields are selected, so they make no tree but a net.
    """

    label: str
    size: Size
    counts: bool
    alternatives: tuple["Parts", ...] = ()
    holds: Size = nothing
    given: Given | None = None


Parts = tuple[Part, ...]


class Value(NamedTuple):
    """What parts come to: their cost, and the objects of any kind."""

    cost: int
    objects: int


Values = dict[int, Value]


def total(parts: Parts, variables: Variables, values: Values) -> Value:
    """Add up what parts come to, each worked out once however many hold it."""
    each = [_value(part, variables, values) for part in parts]
    return Value(sum(value.cost for value in each), sum(value.objects for value in each))


def _value(part: Part, variables: Variables, values: Values) -> Value:
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


def _dearest(part: Part, variables: Variables, values: Values) -> Parts:
    def price(parts: Parts) -> int:
        return total(parts, variables, values).cost

    return max(part.alternatives, key=price, default=())


def in_words(parts: Parts, variables: Variables) -> str:
    """Write the sum: how many times which list of how many, the largest first."""
    values: Values = {}
    terms: dict[tuple[str, int], int] = {}

    def below(part: Part) -> Parts:
        return _dearest(part, variables, values)

    for part, times in _occurrences(parts, below, lambda part: part.size(variables)):
        size = part.size(variables)
        if part.counts and size and times:
            terms[part.label, size] = terms.get((part.label, size), 0) + times
    largest = sorted(terms.items(), key=lambda term: term[0][1] * term[1], reverse=True)
    shown = [f"{count} x {size} {label}" for (label, size), count in largest[:TERMS_SHOWN]]
    return " + ".join([*shown, *(["…"] if len(largest) > TERMS_SHOWN else [])])


def given_in(parts: Parts) -> Given:
    """Add up what all arguments hold, once for each place in the answer's shape that has them."""
    total = Given()

    def below(part: Part) -> Parts:
        return tuple(child for parts in part.alternatives for child in parts)

    for part, times in _occurrences(parts, below, lambda _: 1):
        if part.given is not None:
            total.add(part.given, times)
    return total


def _occurrences(
    parts: Parts, below: Callable[[Part], Parts], factor: Callable[[Part], int]
) -> Iterator[tuple[Part, int]]:
    """Tell how often each part occurs; a part comes before those that it holds."""
    ordered: dict[int, tuple[Part, Parts]] = {}

    def order(part: Part) -> None:
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
