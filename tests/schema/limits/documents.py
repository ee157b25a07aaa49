"""Documents that are made to cost their reader more than their writer."""

from collections.abc import Callable

Maker = Callable[[int], str]


def nested(levels: int, inner: str = "id") -> str:
    """Fragments that each spread the next one twice, under two names."""
    fragments = "".join(
        f" fragment F{n} on Job {{ a{n}: latestEvent {{ job {{ ...F{n + 1} }} }}"
        f" b{n}: latestEvent {{ job {{ ...F{n + 1} }} }} }}"
        for n in range(levels)
    )
    return f"{{ jobs {{ nodes {{ ...F0 }} }} }}{fragments} fragment F{levels} on Job {{ {inner} }}"


def doubled(levels: int) -> str:
    """Fragments that each spread the next one twice, in one place."""
    fragments = "".join(
        f" fragment F{n} on Job {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    return f"{{ jobs {{ nodes {{ ...F0 }} }} }}{fragments} fragment F{levels} on Job {{ id }}"


def circular(size: int) -> str:
    """Fragments that each spread the next two, round and round."""
    fragments = "".join(
        f" fragment F{n} on Job {{ ...F{(n + 1) % size} ...F{(n + 2) % size} }}"
        for n in range(size)
    )
    return f"{{ jobs {{ nodes {{ ...F0 }} }} }}{fragments}"


def combined(levels: int, width: int, names: int) -> str:
    """Levels of fragments of which each way down merges others."""

    def fields(level: int, n: int) -> str:
        below = f"...L{level + 1}N"
        return " ".join(
            f"x{k}: latestEvent {{ job {{"
            f" {below}{(n * 2 + k) % width} {below}{(n * 3 + k * k + 1) % width} }} }}"
            for k in range(names)
        )

    texts = [
        f"fragment L{level}N{n} on Job {{ {fields(level, n)} }}"
        for level in range(levels)
        for n in range(width)
    ]
    texts += [f"fragment L{levels}N{n} on Job {{ id }}" for n in range(width)]
    return f"{{ jobs {{ nodes {{ ...L0N0 }} }} }} {' '.join(texts)}"


def aliases(count: int) -> str:
    return "{ " + " ".join(f"a{n}: viewer {{ subject }}" for n in range(count)) + " }"


def roots(count: int) -> str:
    """So many fields at the root, half of them by a fragment, none of them an alias."""
    names = ["jobs", "jobEvents", "statusCounts", "viewer", "__typename"][:count]
    texts = [name if name == "__typename" else f"{name} {{ __typename }}" for name in names]
    half = count // 2
    return f"{{ {' '.join(texts[half:])} ...F }} fragment F on Query {{ {' '.join(texts[:half])} }}"


def directives(count: int) -> str:
    return f"{{ {'__typename @include(if: true) ' * count}}}"


def operations(count: int) -> str:
    return " ".join(f"query Q{n} {{ __typename }}" for n in range(count))


def ids(count: int) -> str:
    items = " ".join(['"x"'] * count)
    return f"{{ jobs(filter: {{ids: [{items}]}}) {{ __typename }} }}"


def deep(levels: int) -> str:
    """Fields so deep, those from the third on in a fragment."""
    inner = "id"
    for level in range(levels - 1, 2, -1):
        # The third level is on a job, the fourth on its event.
        inner = f"{'latestEvent' if level % 2 else 'job'} {{ {inner} }}"
    return f"{{ jobs {{ nodes {{ ...F }} }} }} fragment F on Job {{ {inner} }}"


def long(count: int) -> str:
    """So many characters."""
    return f"{{ __typename # {'x' * (count - 17)}\n}}"


def words(count: int) -> str:
    """So many tokens."""
    return "{ " + "__typename " * (count - 2) + "}"
