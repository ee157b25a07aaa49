"""Where in a document an error is: found at once, and as graphql-core finds it."""

import pytest
from graphql import Source
from hypothesis import given
from hypothesis import strategies as st

from schema.execution.parsing import Text
from tests.support.service import Service


@given(text=st.text("ab \n\r", max_size=60), position=st.integers(0, 60))
def test_a_place_is_that_of_graphql_core(text: str, position: int) -> None:
    # No token begins inside of a line's end.
    if text[max(0, position - 1) : position + 1] != "\r\n":
        assert Text(text).get_location(position) == Source(text).get_location(position)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
async def test_errors_tell_their_places(service: Service, line_end: str) -> None:
    lines = [
        "{",
        "  jobs(first: -1) { nodes { id } }",
        "  jobs(first: -1)",
        "  { nodes { id } }",
        "}",
    ]
    (error,) = await service.errors(line_end.join(lines))
    assert error["locations"] == [{"line": 2, "column": 3}, {"line": 3, "column": 3}]
    (error,) = await service.errors(line_end.join(["# x", "{ viewer {", " nothing", "} }"]))
    assert error["locations"] == [{"line": 3, "column": 2}]
    (error,) = await service.errors(line_end.join(["{", "", "  ?"]))
    assert error["locations"] == [{"line": 3, "column": 3}]
