"""The keys of tallies: pairs of type and queue.

An organisation has a bounded number. Beyond it, new queues are summed as OTHERS of their type, and
new types as OTHERS. A pair keeps the key that it got first, so that what enters under a key also
leaves under it.
"""

from collections.abc import Iterable, Mapping

# Stands for types, or the queues of a type, that have no key of their own.
OTHERS = "(others)"
# The key of all jobs of an organisation.
ALL = 0

Pair = tuple[str, str]


def key_of(pair: Pair, keys: Mapping[Pair, int]) -> int | None:
    """Return the key of a pair; None if it has none yet. db.tallies.statements does the same."""
    type_, _ = pair
    if pair in keys or (type_, OTHERS) in keys:
        return keys.get(pair, keys.get((type_, OTHERS)))
    return None if type_ in {each for each, _ in keys} else keys.get((OTHERS, OTHERS))


def new_keys(pairs: Iterable[Pair], keys: Mapping[Pair, int], most: int) -> dict[Pair, int]:
    """Return the keys to add for these pairs. With `most` keys, only OTHERS are added."""
    known = dict(keys)
    for pair in pairs:
        if key_of(pair, known) is None:
            known[_affordable(pair, known, most)] = len(known) + 1
    return {pair: key for pair, key in known.items() if pair not in keys}


def _affordable(pair: Pair, known: Mapping[Pair, int], most: int) -> Pair:
    if len(known) < most:
        return pair
    type_, _ = pair
    is_known = type_ in {each for each, _ in known}
    return (type_, OTHERS) if is_known else (OTHERS, OTHERS)
