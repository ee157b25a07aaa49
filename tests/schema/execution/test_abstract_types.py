"""Interfaces and unions: the type of each object, and the selections that apply to it."""

from typing import Any

import pytest

from tests.schema.execution.both import DROPS_COROUTINES, both
from tests.schema.execution.rows import (
    Raises,
    Row,
    StrangerRow,
    box,
    cat,
    dog,
    person,
    row,
    stone,
)

pytestmark = DROPS_COROUTINES
BAD = RuntimeError("bad")
BEINGS = [cat(id="c"), dog(id="d", friend=cat(id="f")), person(id="p"), None]


async def ask(selection: str, fragments: str = "", **values: Any) -> dict[str, Any]:
    return await both(f"{{ {selection} }} {fragments}", row(Row, values))


async def test_an_interface() -> None:
    answer = await ask("beings { __typename id ... on Animal { sound } }", beings=BEINGS)
    assert answer["data"]["beings"] == [
        {"__typename": "Cat", "id": "c", "sound": "meow"},
        {"__typename": "Dog", "id": "d", "sound": "bark"},
        {"__typename": "Person", "id": "p"},
        None,
    ]


async def test_a_union() -> None:
    things = [stone(), cat(id="c"), stone(heft=2.0), person(id="p")]
    selection = "box { things { __typename ... on Stone { heft } ... on Being { id } } }"
    answer = await ask(selection, box=box(things=things))
    assert answer["data"]["box"]["things"] == [
        {"__typename": "Stone", "heft": 1.5},
        {"__typename": "Cat", "id": "c"},
        {"__typename": "Stone", "heft": 2.0},
        {"__typename": "Person", "id": "p"},
    ]


async def test_abstract_types_in_abstract_types() -> None:
    """A union's member by its interface's interface, and back."""
    fragments = """
        fragment A on Thing { ... on Being { ... on Animal { ... on Thing { ...B } } ...C } }
        fragment B on Animal { sound ... on Dog { friend { id } } }
        fragment C on Being { id ... on Person { name } }
    """
    answer = await ask("box { heap { ...A } }", fragments, box=box(heap=[*BEINGS, stone()]))
    assert answer["data"]["box"]["heap"] == [
        {"sound": "meow", "id": "c"},
        {"sound": "bark", "friend": {"id": "f"}, "id": "d"},
        {"id": "p", "name": None},
        None,
        {},
    ]


async def test_fields_of_one_name_on_several_types() -> None:
    selection = (
        "beings { ... on Cat { text: name } ... on Dog { text: title } ... on Being { id } }"
    )
    beings = [cat(id="1", name="n", title="t"), dog(id="2", name="n", title="t"), *BEINGS[2:]]
    answer = await ask(selection, beings=beings)
    assert answer["data"]["beings"] == [
        {"text": "n", "id": "1"},
        {"text": "t", "id": "2"},
        {"id": "p"},
        None,
    ]


async def test_objects_of_several_types_share_a_level_below() -> None:
    children = [[dog(id="1")], [person(id="2"), cat(id="3")], []]
    rows = [
        make(id=str(number), children=each)
        for number, (make, each) in enumerate(zip([cat, dog, person], children, strict=True))
    ]
    answer = await ask("beings { children { __typename id } id }", beings=rows)
    assert answer["data"]["beings"] == [
        {"children": [{"__typename": "Dog", "id": "1"}], "id": "0"},
        {
            "children": [
                {"__typename": "Person", "id": "2"},
                {"__typename": "Cat", "id": "3"},
            ],
            "id": "1",
        },
        {"children": [], "id": "2"},
    ]


@pytest.mark.parametrize("wrong", [stone(), row(StrangerRow, {}), 5, "text", {}])
async def test_an_object_of_no_possible_type(wrong: Any) -> None:
    answer = await ask("beings { id }", beings=[cat(id="c"), wrong])
    assert answer["data"] == {"beings": [{"id": "c"}, None]}
    (error,) = answer["errors"]
    assert error["path"] == ["beings", 1]


async def test_a_stranger_in_an_interface() -> None:
    answer = await ask("being { id }", being=row(StrangerRow, {}))
    assert answer["data"] == {"being": None}
    message = (
        "Abstract type 'Being' must resolve to an Object type at runtime for field 'Query.being'."
        " Either the 'Being' type should provide a 'resolve_type' function"
        " or each possible type should provide an 'is_type_of' function."
    )
    assert answer["errors"] == [{"message": message, "path": ["being"]}]


async def test_an_object_of_another_type() -> None:
    answer = await ask("cat { id }", cat=dog())
    message = "Expected value of type 'Cat' but got: <DogRow instance>."
    assert answer == {"data": {"cat": None}, "errors": [{"message": message, "path": ["cat"]}]}


async def test_another_type_where_none_may_be_null() -> None:
    answer = await ask("beings { ... on Dog { friend { id } } }", beings=[dog(friend=dog()), cat()])
    assert answer["data"] == {"beings": [None, {}]}
    assert [error["path"] for error in answer["errors"]] == [["beings", 0, "friend"]]


async def test_errors_among_objects_of_several_types() -> None:
    beings = [cat(id="1", rank=1), dog(id="2", rank=BAD), BAD, person(id="3", name=Raises(BAD))]
    answer = await ask("beings { id ... on Animal { rank } ... on Person { name } }", beings=beings)
    assert answer["data"] == {
        "beings": [{"id": "1", "rank": 1}, None, None, {"id": "3", "name": None}]
    }
    assert [error["path"] for error in answer["errors"]] == [
        ["beings", 1, "rank"],
        ["beings", 2],
        ["beings", 3, "name"],
    ]


async def test_no_error_for_what_a_type_does_not_select() -> None:
    answer = await ask("beings { ... on Cat { rank } }", beings=[dog(rank=BAD), person(rank=BAD)])
    assert answer == {"data": {"beings": [{}, {}]}}
