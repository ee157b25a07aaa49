"""Collecting fields: merged selections, fragments, directives, arguments and variables."""

from typing import Any

import pytest

from tests.schema.execution.both import DROPS_COROUTINES, both, compiled, parsed
from tests.schema.execution.rows import CatRow, Row, box, cat, dog, row

pytestmark = DROPS_COROUTINES

CAT = cat(id="c", name="tom", age=3, home=None)


async def ask(document: str, variables: dict[str, Any] | None = None, **values: Any) -> Any:
    answer = await both(document, row(Row, {"cat": CAT} | values), variables)
    assert "errors" not in answer
    return answer["data"]


async def test_the_order_of_fields_is_that_of_their_first_selection() -> None:
    document = """
        { cat { age ...A ... on Being { age id } name __typename } }
        fragment A on Cat { name first: id }
    """
    data = await ask(document)
    assert list(data["cat"].items()) == [
        ("age", 3),
        ("name", "tom"),
        ("first", "c"),
        ("id", "c"),
        ("__typename", "Cat"),
    ]


async def test_leaves_and_objects_keep_their_order() -> None:
    data = await ask("{ cat { best { id } id total name } }", cat=cat(best=dog(), total=1))
    assert list(data["cat"]) == ["best", "id", "total", "name"]


async def test_selections_of_one_response_key_are_merged() -> None:
    document = """
        { cat { best { id } ...A best { best { id } } } cat { best { best { sound: __typename } } } }
        fragment A on Being { best { ... on Animal { sound } best { id name } } }
    """
    best = dog(id="1", best=cat(id="2", name="two"))
    assert await ask(document, cat=cat(best=best)) == {
        "cat": {
            "best": {
                "id": "1",
                "sound": "bark",
                "best": {"id": "2", "name": "two", "sound": "Cat"},
            }
        }
    }


async def test_aliases_of_one_field() -> None:
    def children(first: int | None) -> list[Row]:
        return [cat(id=str(number)) for number in range(first or 0)]

    document = "{ cat { a: children(first: 1) { id } b: children(first: 2) { x: id y: id } children { id } } }"
    assert await ask(document, cat=cat(children=children)) == {
        "cat": {
            "a": [{"id": "0"}],
            "b": [{"x": "0", "y": "0"}, {"x": "1", "y": "1"}],
            "children": [],
        }
    }


DIRECTIVES = """
    query ($yes: Boolean!, $no: Boolean = false) { cat {
        id @include(if: $yes) age @skip(if: $yes) name @skip(if: $no) @include(if: $yes)
        ... @include(if: $no) { never: id } ... on Being @skip(if: $no) { always: id }
        ...A @include(if: $yes)
        best @include(if: $no) { id }
    } }
    fragment A on Cat { part: id }
"""


@pytest.mark.parametrize(
    ("variables", "keys"),
    [
        ({"yes": True}, ["id", "name", "always", "part"]),
        ({"yes": False}, ["age", "always"]),
        ({"yes": True, "no": True}, ["id", "never", "part", "best"]),
        ({"yes": False, "no": True}, ["age", "never", "best"]),
    ],
)
async def test_skip_and_include(variables: dict[str, Any], keys: list[str]) -> None:
    data = await ask(DIRECTIVES, variables, cat=cat(best=dog()))
    assert list(data["cat"]) == keys


async def test_nothing_left() -> None:
    assert await ask("{ cat { id @skip(if: true) } }") == {"cat": {}}
    assert await ask("{ cat @include(if: false) { id } }") == {}


async def test_skip_wins() -> None:
    assert await ask("{ cat { id @skip(if: true) @include(if: true) age } }") == {"cat": {"age": 3}}


@pytest.mark.parametrize("place", ["cat { id @skip(if: $no) }", "cat @skip(if: $no) { id }"])
async def test_null_for_a_condition(place: str) -> None:
    """A nullable variable that has a default may be given as null all the same."""
    document = f"query ($no: Boolean = false) {{ {place} }}"
    answer = await both(document, row(Row, {"cat": CAT}), {"no": None})
    assert answer["data"] == ({"cat": None} if "id @" in place else None)
    (error,) = answer["errors"]
    assert error["message"].startswith("Argument 'if' has invalid value")


def echoed(near: Any, words: Any) -> str:
    return f"{near} {words}"


@pytest.mark.parametrize(
    ("arguments", "variables", "text"),
    [
        ("", {}, "None None"),
        ("(near: {})", {}, "[1, None, None] None"),
        ("(near: null, words: [])", {}, "None []"),
        ('(words: ["a", $word])', {"word": "b"}, "None ['a', 'b']"),
        ("(near: $near)", {}, "None None"),
        ("(near: $near)", {"near": None}, "None None"),
        ("(near: $near)", {"near": {"colours": ["BLUE"]}}, "[1, ['BLUE'], None] None"),
        ("(near: {distance: $number, inner: $near})", {}, "[7, None, None] None"),
        (
            "(near: {distance: $number, inner: $near})",
            {"number": 2, "near": {"distance": 3, "inner": {}}},
            "[2, None, [3, None, [1, None, None]]] None",
        ),
        (
            "(near: {colours: [RED, $colour]})",
            {"colour": "GREEN"},
            "[1, ['RED', 'GREEN'], None] None",
        ),
    ],
)
async def test_arguments(arguments: str, variables: dict[str, Any], text: str) -> None:
    types = {"word": "String!", "near": "Near", "number": "Int! = 7", "colour": "Colour!"}
    used = [f"${name}: {type_}" for name, type_ in types.items() if f"${name}" in arguments]
    declared = f"query ({', '.join(used)}) " if used else ""
    assert await ask(f"{declared}{{ echo{arguments} }}", variables, echo=echoed) == {"echo": text}


async def test_arguments_that_cannot_be_coerced() -> None:
    """What a variable lacks is found out where it is used."""
    document = "query ($number: Int = 1) { cat { id nearest(near: {distance: $number}) { id } } }"
    answer = await both(document, row(Row, {"cat": CAT}), {"number": None})
    assert answer["data"] == {"cat": {"id": "c", "nearest": None}}
    assert [error["path"] for error in answer["errors"]] == [["cat", "nearest"]]


async def test_one_plan_for_other_variables() -> None:
    document = parsed("query ($first: Int) { cat { children(first: $first) { id } } }")
    plan = compiled(document, {})

    def children(first: int | None) -> list[Row]:
        return [cat(id=str(first))]

    root = row(Row, {"cat": cat(children=children)})
    for first in (1, None, 2):
        answer = await both(document, root, {"first": first}, plan)
        assert answer["data"] == {"cat": {"children": [{"id": str(first)}]}}


async def test_one_plan_for_other_classes_of_values() -> None:
    """What a plan has learned of values of one request holds for those of the next."""
    document = parsed("{ cat { id } box { heap { __typename } } }")
    plan = compiled(document, {})
    for found in (cat(), dog(), None, cat(), 5, [], cat()):
        is_cat = isinstance(found, CatRow)
        root = row(Row, {"cat": found, "box": box(heap=[found, cat()])})
        answer = await both(document, root, {}, plan)
        assert answer["data"]["cat"] == ({"id": "cat"} if is_cat else None)
        assert ("errors" in answer) == (not is_cat and found is not None)


async def test_a_fragment_that_several_objects_share() -> None:
    document = """
        { cat { best { ...A } owner { ...A } children { ...A } } }
        fragment A on Being { id nearest(near: {}) { id } total }
    """
    each = [dog(id=name, total=1, nearest=cat(id=f"{name}n")) for name in "abc"]
    owner = cat(best=each[0], owner=each[1], children=[each[2], each[0]])
    written = [{"id": n, "nearest": {"id": f"{n}n"}, "total": 1} for n in "abc"]
    assert await ask(document, cat=owner) == {
        "cat": {"best": written[0], "owner": written[1], "children": [written[2], written[0]]}
    }
