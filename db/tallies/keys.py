"""The keys of tallies: pairs of type and queue, and each type and each queue of these pairs.

An organisation has a bounded number of pairs. Beyond it, new queues are summed as OTHERS of their
type, and new types as OTHERS. A pair keeps the key that it got first, so that what enters under a
key also leaves under it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

# Stands for types, or the queues of a type, that have no key of their own.
OTHERS = "(others)"
# The key of all jobs of an organisation.
ALL = 0

Pair: TypeAlias = tuple[str, str]
# A pair; or a type with all its queues, or a queue with all its types.
Key: TypeAlias = tuple[str | None, str | None]


def key_of(pair: Pair, keys: Mapping[Any, int]) -> int | None:
    """Return the key of a pair; None if it has none yet. db.tallies.statements does the same."""
    type_, _ = pair
    if pair in keys or (type_, OTHERS) in keys:
        return keys.get(pair, keys.get((type_, OTHERS)))
    return None if (type_, None) in keys else keys.get((OTHERS, OTHERS))


def new_keys(pairs: Iterable[Pair], keys: Mapping[Key, int], most: int) -> dict[Key, int]:
    """Return the keys to add for these pairs. With `most` pairs, only OTHERS are added."""
    known = dict(keys)
    count = sum(None not in key for key in known)
    for pair in pairs:
        if key_of(pair, known) is None:
            own = pair if count < most else _others(pair, known)
            for key in parts(own):
                known.setdefault(key, len(known) + 1)
            count += 1
    return {key: number for key, number in known.items() if key not in keys}


def parts(pair: Pair) -> Iterator[Key]:
    """Yield the keys whose sums have the jobs of a pair, besides that of all."""
    type_, queue = pair
    yield from ((type_, None), (None, queue), pair)


def _others(pair: Pair, known: Mapping[Key, int]) -> Pair:
    type_, _ = pair
    return (type_, OTHERS) if (type_, None) in known else (OTHERS, OTHERS)
