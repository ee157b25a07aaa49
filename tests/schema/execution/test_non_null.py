"""Errors null the innermost nullable position around them; one is reported for each such region."""

from typing import Any

import pytest

from tests.schema.execution.both import DROPS_COROUTINES, both
from tests.schema.execution.rows import Raises, Row, cat, dog, person, row

pytestmark = DROPS_COROUTINES

BAD = RuntimeError("bad")


def null(field: str) -> str:
    return f"Cannot return null for non-nullable field {field}."


async def ask(selection: str, **values: Any) -> dict[str, Any]:
    return await both(f"{{ {selection} }}", row(Row, values))


@pytest.mark.parametrize("bad", [BAD, Raises(BAD), None])
@pytest.mark.parametrize("field", ["rank", "heft", "total"])
async def test_a_leaf_that_is_not_null(field: str, bad: Any) -> None:
    """By an attribute, a function and a level."""
    answer = await ask(f"cat {{ id {field} }} count", cat=cat(**{field: bad}), count=1)
    assert answer["data"] == {"cat": None, "count": 1}
    message = "bad" if bad else null(f"Cat.{field}")
    assert answer["errors"] == [{"message": message, "path": ["cat", field]}]


@pytest.mark.parametrize("bad", [BAD, Raises(BAD)])
@pytest.mark.parametrize(
    "field", ["age", "title", "scaled", "names", "anything", "shown", "colour"]
)
async def test_a_nullable_leaf(field: str, bad: Any) -> None:
    answer = await ask(f"cat {{ id {field} }}", cat=cat(**{field: bad}))
    assert answer["data"] == {"cat": {"id": "cat", field: None}}
    assert answer["errors"] == [{"message": "bad", "path": ["cat", field]}]


@pytest.mark.parametrize("field", ["owner", "nearest(near: {})", "home", "box", "mate"])
@pytest.mark.parametrize("bad", [BAD, Raises(BAD)])
async def test_a_nullable_object(field: str, bad: Any) -> None:
    name = field.partition("(")[0]
    answer = await ask(f"cat {{ id {field} {{ __typename }} }}", cat=cat(**{name: bad}))
    assert answer["data"] == {"cat": {"id": "cat", name: None}}
    assert answer["errors"] == [{"message": "bad", "path": ["cat", name]}]


@pytest.mark.parametrize("bad", [BAD, Raises(BAD), None])
async def test_the_root_itself(bad: Any) -> None:
    answer = await ask("cat { id } count", cat=cat(), count=bad)
    message = "bad" if bad else null("Query.count")
    assert answer == {"data": None, "errors": [{"message": message, "path": ["count"]}]}


async def test_up_through_all_that_is_not_null() -> None:
    """`best` is Being!, `heft` Float!; `owner` is nullable."""
    worst = cat(best=dog(best=person(heft=None)))
    answer = await ask("cat { owner { best { best { heft } } } id }", cat=cat(owner=worst))
    assert answer["data"] == {"cat": {"owner": None, "id": "cat"}}
    path = ["cat", "owner", "best", "best", "heft"]
    assert answer["errors"] == [{"message": null("Person.heft"), "path": path}]


async def test_up_to_the_root() -> None:
    answer = await ask("beings { id } cat { id }", beings=None, cat=cat())
    message = null("Query.beings")
    assert answer == {"data": None, "errors": [{"message": message, "path": ["beings"]}]}


async def test_one_error_for_each_region() -> None:
    """Two children are bad in two ways each; `children` is [Being!]!, so all null `owner`."""
    bad = [cat(heft=BAD, total=BAD), dog(heft=BAD)]
    owner = person(children=bad, total=BAD)
    answer = await ask("cat { owner { children { heft total } total } name }", cat=cat(owner=owner))
    assert answer["data"] == {"cat": {"owner": None, "name": None}}
    path = ["cat", "owner", "children", 0, "heft"]
    assert answer["errors"] == [{"message": "bad", "path": path}]


async def test_an_error_within_a_region_is_not_reported() -> None:
    """`age` is null by its own error; then `total` nulls all of its cat."""
    answer = await ask("cat { owner { age } total }", cat=cat(owner=person(age=BAD), total=BAD))
    assert answer == {
        "data": {"cat": None},
        "errors": [{"message": "bad", "path": ["cat", "total"]}],
    }


async def test_regions_side_by_side() -> None:
    beings = [cat(rank=1), cat(), dog(rank=BAD), person(rank=4, age=BAD)]
    answer = await ask("beings { rank age }", beings=beings)
    assert answer["data"] == {
        "beings": [{"rank": 1, "age": None}, None, None, {"rank": 4, "age": None}]
    }
    assert answer["errors"] == [
        {"message": null("Cat.rank"), "path": ["beings", 1, "rank"]},
        {"message": "bad", "path": ["beings", 2, "rank"]},
        {"message": "bad", "path": ["beings", 3, "age"]},
    ]


async def test_errors_are_in_the_order_of_the_response() -> None:
    """Not in that in which they occur: leaves are answered before objects."""
    owner = person(age=BAD, names=[None, BAD])
    selection = "cat { owner { names age } nearest(near: {}) { age } age } count"
    answer = await ask(selection, cat=cat(owner=owner, nearest=dog(age=BAD), age=BAD), count=1)
    assert [error["path"] for error in answer["errors"]] == [
        ["cat", "owner", "names", 1],
        ["cat", "owner", "age"],
        ["cat", "nearest", "age"],
        ["cat", "age"],
    ]


async def test_a_level_that_fails_as_a_whole() -> None:
    """Its error is that of each of its parents."""
    bad = {"nearest of all": Raises(BAD), "total of all": Raises(BAD)}
    children = [cat(id="a", **bad), dog(id="b", **bad)]
    selection = "cat { pets { id nearest(near: {}) { id } } }"
    answer = await ask(selection, cat=cat(pets=children))
    assert answer["data"] == {
        "cat": {"pets": [{"id": "a", "nearest": None}, {"id": "b", "nearest": None}]}
    }
    paths = [error["path"] for error in answer["errors"]]
    assert paths == [["cat", "pets", 0, "nearest"], ["cat", "pets", 1, "nearest"]]
    answer = await ask("cat { pets { id total } }", cat=cat(pets=children))
    assert answer["data"] == {"cat": {"pets": [None, None]}}
    paths = [error["path"] for error in answer["errors"]]
    assert paths == [["cat", "pets", 0, "total"], ["cat", "pets", 1, "total"]]
