"""What Joblens replaces in graphql-core is what graphql-core uses."""

import pytest
from graphql import GraphQLError, parse
from graphql.language import location
from graphql.validation.rules import overlapping_fields_can_be_merged

from schema.execution import documents
from schema.execution.models import Request, Response
from schema.execution.parsing import Text
from schema.execution.run import prepare
from tests.support.rules import ANY_RULES


def test_positions_of_errors_are_found_by_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    find = Text.get_location

    def noting(self: Text, position: int) -> location.SourceLocation:
        asked.append(position)
        return find(self, position)

    monkeypatch.setattr(Text, "get_location", noting)
    document = parse(Text("{\n  a\n  b\n}"))
    nodes = document.definitions[0].selection_set.selections  # type: ignore[attr-defined]
    error = GraphQLError("wrong", list(nodes))
    assert [(place.line, place.column) for place in error.locations or ()] == [(2, 3), (3, 3)]
    assert asked == [4, 8]


def test_pairs_of_fields_are_compared_up_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET
    # Each of n fields is compared with those after it.
    count = round((2 * budget) ** 0.5)
    text = "{" + " __typename" * (count + 50) + " }"
    refused = prepare(Request(text), ANY_RULES)
    assert isinstance(refused, Response)
    assert refused.errors[0]["extensions"]["limit"] == "overlaps"
    monkeypatch.setattr(overlapping_fields_can_be_merged, "MAX_COMPLEXITY_BUDGET", 100 * budget)
    documents._read_cached.cache_clear()
    assert not isinstance(prepare(Request(text), ANY_RULES), Response)
    documents._read_cached.cache_clear()
