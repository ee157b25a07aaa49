"""Coercing results: what a leaf of each type takes, as an attribute, by a function, in lists."""

from typing import Any

import pytest
from graphql import GraphQLError, Undefined

from tests.schema.execution.both import DROPS_COROUTINES, both
from tests.schema.execution.rows import Row, cat, row
from tests.schema.execution.small_schema import Colour

pytestmark = DROPS_COROUTINES

NAN = float("nan")


async def of_cat(selection: str, **values: Any) -> dict[str, Any]:
    return await both(f"{{ cat {{ {selection} }} }}", row(Row, {"cat": cat(**values)}))


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("id", 5, "5"),
        ("name", 5, "5"),
        ("name", True, "true"),
        ("name", 1.5, "1.5"),
        ("title", 5, "5"),
        ("age", 2.0, 2),
        ("age", "7", 7),
        ("age", True, 1),
        ("age", -(2**31), -(2**31)),
        ("rank", 3.0, 3),
        ("heft", 3, 3.0),
        ("heft", "1.5", 1.5),
        ("alive", 0, False),
        ("alive", 2.5, True),
        ("colour", Colour.BLUE, "BLUE"),
        ("colour", "red", "RED"),
        ("code", 255, "0xff"),
        ("anything", {"a": [1, None]}, {"a": [1, None]}),
        ("shown", 5, "5"),
        ("names", ["a", 5], ["a", "5"]),
        ("numbers", [1, 2.0], [1, 2]),
    ],
)
async def test_values_that_are_coerced(field: str, value: Any, written: Any) -> None:
    answer = await of_cat(field, **{field: value})
    assert answer == {"data": {"cat": {field: written}}}
    assert type(answer["data"]["cat"][field]) is type(written)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", [], "String cannot represent value: []"),
        ("title", {}, "String cannot represent value: {}"),
        ("age", 2**31, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        ("age", 1.5, "Int cannot represent non-integer value: 1.5"),
        ("age", NAN, "Int cannot represent non-integer value: NaN"),
        ("age", "x", 'Int cannot represent non-integer value: "x"'),
        ("scaled", NAN, "Float cannot represent non numeric value: NaN"),
        ("scaled", float("inf"), "Float cannot represent non numeric value: Infinity"),
        ("alive", "yes", 'Boolean cannot represent a non boolean value: "yes"'),
        ("colour", "purple", "Enum 'Colour' cannot represent value: \"purple\""),
        ("colour", [], "Enum 'Colour' cannot represent value: []"),
        ("code", "x", "'>=' not supported between instances of 'str' and 'int'"),
    ],
)
async def test_values_that_cannot_be_coerced(field: str, value: Any, message: str) -> None:
    answer = await of_cat(f"{field} id", **{field: value})
    assert answer["data"] == {"cat": {field: None, "id": "cat"}}
    assert answer["errors"] == [{"message": message, "path": ["cat", field]}]


async def test_a_scalar_that_is_written_as_null() -> None:
    answer = await of_cat("code", code=-1)
    assert answer["data"] == {"cat": {"code": None}}
    assert "to return non-nullable value" in answer["errors"][0]["message"]


LEAVES = ["name", "age", "alive", "colour", "code", "anything", "shown", "title", "scaled"]


@pytest.mark.parametrize("field", LEAVES)
async def test_undefined_is_null(field: str) -> None:
    answer = await of_cat(f"{field} heft", **{field: Undefined})
    assert answer == {"data": {"cat": {field: None, "heft": 4.0}}}


@pytest.mark.parametrize("error", [ValueError("bad"), GraphQLError("bad")])
@pytest.mark.parametrize("field", LEAVES)
async def test_a_returned_error_is_raised(field: str, error: Exception) -> None:
    """Even where the scalar would take it: GraphQLError can be written as text."""
    answer = await of_cat(field, **{field: error})
    assert answer["data"] == {"cat": {field: None}}
    assert answer["errors"] == [{"message": "bad", "path": ["cat", field]}]


async def test_a_missing_attribute() -> None:
    answer = await both("{ box { label } }", row(Row, {"box": 5}))
    assert answer["data"] == {"box": {"label": None}}
    message = "'int' object has no attribute 'label'"
    assert answer["errors"] == [{"message": message, "path": ["box", "label"]}]
