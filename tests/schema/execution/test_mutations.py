"""Mutations: their fields one after the other, until one nulls the data."""

import asyncio
from typing import Any

import pytest

from tests.schema.execution.both import (
    DROPS_COROUTINES,
    both,
    compiled,
    parsed,
    run_core,
    run_plan,
)
from tests.schema.execution.rows import Raises, Row, cat, row

pytestmark = DROPS_COROUTINES
BAD = RuntimeError("bad")
KINDS = ["change", "must", "make", "note"]


def root(calls: list[Any], bad: dict[int, Any] | None = None) -> Row:
    """Make a root that notes its calls, and answers some numbers badly."""

    def answers(field: str, arguments: Any) -> Any:
        number = arguments["to"]
        calls.append((field, number))
        answer: Any = number
        if field != "note":

            def read(**_arguments: Any) -> int:
                calls.append(("read", number))
                return number

            answer = cat(id=str(number), total=read)
        return (bad or {}).get(number, answer)

    return Row(answers)


async def calls_of(document: str, bad: dict[int, Any] | None = None) -> list[Any]:
    """Run it by each executor, which must make the same calls."""
    made: list[list[Any]] = [[], []]
    node = parsed(document)
    ours, _ = await run_plan(compiled(node, {}), root(made[0], bad), {})
    core, _ = await run_core(node, root(made[1], bad), {})
    assert ours.data == core.data
    assert made[0] == made[1]
    return made[0]


async def test_one_after_the_other() -> None:
    """Each with all that is selected below it, whatever its kind."""
    document = (
        "mutation { a: change(to: 1) { total } b: note(to: 2) c: make(to: 3) { total }"
        " d: note(to: 4) e: must(to: 5) { total id } }"
    )
    assert await calls_of(document) == [
        ("change", 1),
        ("read", 1),
        ("note", 2),
        ("make", 3),
        ("read", 3),
        ("note", 4),
        ("must", 5),
        ("read", 5),
    ]
    answer = await both(document, root([]))
    assert list(answer["data"]) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("bad", [BAD, Raises(BAD), None])
@pytest.mark.parametrize("kind", KINDS)
async def test_each_is_called_once(kind: str, bad: Any) -> None:
    selection = "" if kind == "note" else " { id }"
    calls = await calls_of(f"mutation {{ {kind}(to: 1){selection} }}", {1: bad})
    assert calls == [(kind, 1)]


async def test_a_nulled_field_lets_the_others_go_on() -> None:
    document = "mutation { a: change(to: 1) { id } b: note(to: 2) c: change(to: 3) { id } }"
    bad = {1: Raises(BAD), 2: Raises(BAD)}
    assert await calls_of(document, bad) == [("change", 1), ("note", 2), ("change", 3)]
    answer = await both(document, root([], bad))
    assert answer == {
        "data": {"a": None, "b": None, "c": {"id": "3"}},
        "errors": [{"message": "bad", "path": ["a"]}, {"message": "bad", "path": ["b"]}],
    }


@pytest.mark.parametrize("bad", [BAD, Raises(BAD), None])
async def test_nothing_is_run_after_the_data_is_null(bad: Any) -> None:
    document = "mutation { a: change(to: 1) { id } b: must(to: 2) { id } c: change(to: 3) { id } d: note(to: 4) }"
    assert await calls_of(document, {2: bad}) == [("change", 1), ("must", 2)]
    answer = await both(document, root([], {2: bad}))
    assert answer["data"] is None
    assert [error["path"] for error in answer["errors"]] == [["b"]]


async def test_merged_fields_are_one_call() -> None:
    document = (
        "mutation { change(to: 1) { id } ...A } fragment A on Mutation { change(to: 1) { total } }"
    )
    assert await calls_of(document) == [("change", 1), ("read", 1)]


async def test_fields_below_are_not_serial() -> None:
    """Levels of one mutation's answer are asked for together, as in a query."""
    begun: list[str] = []

    async def mutate() -> dict[str, Any]:
        child = cat(id="c", children=[], total=1)
        found = cat(children=[child], nearest=child, total=2)
        made = row(Row, {"change": lambda to: begun.append(str(to)) or found})
        document = "mutation { change(to: 1) { children { id } nearest(near: {}) { id } total } }"
        return await both(document, made)

    answer = await asyncio.wait_for(mutate(), 10)
    assert answer["data"] == {
        "change": {"children": [{"id": "c"}], "nearest": {"id": "c"}, "total": 2}
    }
    assert set(begun) == {"1"}
