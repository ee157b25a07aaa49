"""Lists and their items, by "Value Completion" and "Handling Execution Errors" of GraphQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.schema.execution.both import DROPS_COROUTINES, both
from tests.schema.execution.rows import Raises, Row, box, cat, dog, row, stone

pytestmark = DROPS_COROUTINES

BAD = RuntimeError("bad")


def at(*path: str | int) -> list[dict[str, Any]]:
    return [{"message": "bad", "path": list(path)}]


async def of_cat(selection: str, **values: Any) -> dict[str, Any]:
    answer = await both(f"{{ cat {{ {selection} }} }}", row(Row, {"cat": cat(**values)}))
    return {"cat": None} | answer["data"] | {"errors": answer.get("errors", [])}


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (None, None),
        ([], []),
        (["a", None, "b"], ["a", None, "b"]),
        (("a", "b"), ["a", "b"]),
        ({"a": 1}.keys(), ["a"]),
    ],
)
async def test_nullable_items(names: Any, written: Any) -> None:
    assert await of_cat("names", names=names) == {"cat": {"names": written}, "errors": []}


async def test_an_iterator() -> None:
    def names(**_arguments: object) -> Iterator[str]:
        return iter("ab")

    assert await of_cat("names", names=names) == {"cat": {"names": ["a", "b"]}, "errors": []}


@pytest.mark.parametrize("value", [5, "text", {"a": 1}, b"bytes"])
async def test_what_is_no_list(value: Any) -> None:
    answer = await of_cat("names colours", names=value, colours=[])
    message = "Expected Iterable, but did not find one for field 'Cat.names'."
    assert answer["cat"] == {"names": None, "colours": []}
    assert answer["errors"] == [{"message": message, "path": ["cat", "names"]}]


async def test_the_error_of_a_nullable_item_nulls_it_alone() -> None:
    answer = await of_cat("names", names=["a", BAD, "b", BAD])
    assert answer["cat"] == {"names": ["a", None, "b", None]}
    assert answer["errors"] == at("cat", "names", 1) + at("cat", "names", 3)


async def test_the_error_of_an_item_that_is_not_null_nulls_the_list() -> None:
    answer = await of_cat("numbers", numbers=[1, BAD, 2, BAD])
    assert answer == {"cat": {"numbers": None}, "errors": at("cat", "numbers", 1)}


async def test_null_for_an_item_that_is_not_null() -> None:
    answer = await of_cat("numbers", numbers=[1, None])
    message = "Cannot return null for non-nullable field Cat.numbers."
    assert answer["cat"] == {"numbers": None}
    assert answer["errors"] == [{"message": message, "path": ["cat", "numbers", 1]}]


async def test_null_for_a_list_that_is_not_null() -> None:
    answer = await of_cat("colours")
    message = "Cannot return null for non-nullable field Cat.colours."
    assert answer["cat"] is None
    assert answer["errors"] == [{"message": message, "path": ["cat", "colours"]}]


@pytest.mark.parametrize(
    ("grid", "written", "path"),
    [
        ([], [], []),
        ([[]], [[]], []),
        ([[], [1], [], [2, 3], []], [[], [1], [], [2, 3], []], []),
        ([[1], [2, BAD]], None, [1, 1]),
        ([[], [], [BAD]], None, [2, 0]),
        ([[1], BAD], None, [1]),
    ],
)
async def test_lists_of_lists(grid: Any, written: Any, path: list[int]) -> None:
    answer = await of_cat("grid", grid=grid)
    assert answer["cat"] == {"grid": written}
    assert answer["errors"] == (at("cat", "grid", *path) if path else [])


async def test_lists_of_lists_of_objects() -> None:
    rows = [[cat(id="a"), None], None, [], [dog(id="b", rank=1), cat(id="c", rank=BAD)]]
    answer = await of_cat("circles { id ... on Cat { rank } }", circles=rows)
    # `rank` is Int!, and null if it is not given.
    assert answer["cat"] == {"circles": [[None, None], None, [], [{"id": "b"}, None]]}
    paths = [error["path"] for error in answer["errors"]]
    assert paths == [["cat", "circles", 0, 0, "rank"], ["cat", "circles", 3, 1, "rank"]]


async def test_some_lists_of_lists_are_empty() -> None:
    """A level of lists of lists may have no list at all."""
    answer = await of_cat("packs { id }", packs=[])
    assert answer == {"cat": {"packs": []}, "errors": []}
    pets = [cat(packs=[]), dog(packs=[[dog(id="d")], None]), cat()]
    answer = await of_cat("pets { packs { id } }", pets=pets)
    packs = [{"packs": []}, {"packs": [[{"id": "d"}], None]}, {"packs": None}]
    assert answer == {"cat": {"pets": packs}, "errors": []}


class Broken:
    def __iter__(self) -> Iterator[str]:
        yield "a"
        raise BAD


async def test_a_list_that_breaks() -> None:
    answer = await of_cat("names id", names=Broken())
    assert answer == {"cat": {"names": None, "id": "cat"}, "errors": at("cat", "names")}


async def test_items_of_several_parents_find_their_places() -> None:
    children = [
        cat(id="1", children=[dog(id="3"), cat(id="4")]),
        dog(id="2", children=[]),
        cat(id="5", children=[cat(id="6", name=Raises(BAD))]),
    ]
    answer = await of_cat("children { id children { id name } }", children=children)
    assert answer["cat"] == {
        "children": [
            {"id": "1", "children": [{"id": "3", "name": None}, {"id": "4", "name": None}]},
            {"id": "2", "children": []},
            {"id": "5", "children": [{"id": "6", "name": None}]},
        ]
    }
    assert answer["errors"] == at("cat", "children", 2, "children", 0, "name")


async def test_an_item_that_is_not_null_nulls_the_list_of_its_parent_alone() -> None:
    owners = [box(heap=[stone(), stone(heft=BAD), None]), box(things=[stone(), BAD]), None]
    pets = [cat(box=each, rank=number) for number, each in enumerate(owners)]
    answer = await of_cat(
        "pets { rank box { label heap { ... on Stone { heft } } } }", pets=[*pets, None]
    )
    assert answer["cat"] == {
        "pets": [
            {"rank": 0, "box": {"label": "box", "heap": [{"heft": 1.5}, None, None]}},
            {"rank": 1, "box": None},
            {"rank": 2, "box": None},
            None,
        ]
    }
    paths = [error["path"] for error in answer["errors"]]
    assert paths == [
        ["cat", "pets", 0, "box", "heap", 1, "heft"],
        ["cat", "pets", 1, "box", "heap"],
    ]
