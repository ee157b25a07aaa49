"""However fragments spread each other, each is looked through once for what is to be known."""

import pytest
from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, parse

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.models import Operation, Request, Response
from schema.execution.run import prepare
from schema.limits.costs import CostPlan
from schema.limits.document_limits import DocumentLimits, LimitError
from schema.limits.document_metrics import measure
from tests.schema.limits import documents
from tests.support.rules import ANY_RULES

LEVELS = 30
WIDE = DocumentLimits(max_depth=200, max_aliases=1_000, max_cost=10**40)


def parts(
    document: DocumentNode,
) -> tuple[OperationDefinitionNode, dict[str, FragmentDefinitionNode]]:
    (operation,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = (d for d in document.definitions if isinstance(d, FragmentDefinitionNode))
    return operation, {each.name.value: each for each in fragments}


@pytest.mark.parametrize("make", [documents.nested, documents.doubled])
def test_measuring_looks_through_each_fragment_twice(make: documents.Maker) -> None:
    # Once for what it holds, once for what its spreads add to its depth.
    assert measure(parse(make(LEVELS)), WIDE).visits == 2 * (LEVELS + 1)


def test_the_depth_goes_through_fragments() -> None:
    assert measure(parse(documents.nested(LEVELS)), WIDE).depth == 3 + 2 * LEVELS
    assert measure(parse(documents.doubled(LEVELS)), WIDE).depth == 3


def test_costs_look_through_each_fragment_once_for_each_way_to_it() -> None:
    operation, fragments = parts(parse(documents.nested(LEVELS)))
    shape = CostPlan(
        operation, fragments, {}, WIDE, EXECUTABLE_SCHEMA.definition, EXECUTABLE_SCHEMA.list_sizes
    )
    # Each but the first is spread in two places, which hold the same.
    assert shape.visits == 2 * LEVELS + 1
    # A page of 50 jobs; each level has two events and two jobs for each job above.
    assert shape.cost({}) == 50 * (1 + sum(2 * 2**level for level in range(1, LEVELS + 1)))


def test_doubled_spreads_add_nothing() -> None:
    operation, fragments = parts(parse(documents.doubled(LEVELS)))
    shape = CostPlan(
        operation, fragments, {}, WIDE, EXECUTABLE_SCHEMA.definition, EXECUTABLE_SCHEMA.list_sizes
    )
    assert (shape.visits, shape.cost({})) == (LEVELS + 1, 50)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_circles_end(size: int) -> None:
    assert measure(parse(documents.circular(size)), WIDE).visits == 2 * size
    refused = prepare(Request(documents.circular(size)), ANY_RULES)
    assert isinstance(refused, Response)
    assert refused.codes() <= {"GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"}


def test_the_deepest_within_the_limits_is_answered_or_costs_too_much() -> None:
    rules = Rules(EXECUTABLE_SCHEMA, DocumentLimits(max_depth=200, max_aliases=1_000))
    refused = prepare(Request(documents.nested(LEVELS)), rules)
    assert isinstance(refused, Response)
    assert refused.codes() == {"COST_EXCEEDED"}
    assert isinstance(prepare(Request(documents.doubled(LEVELS)), rules), Operation)


def test_ever_new_combinations_of_fragments_are_given_up() -> None:
    operation, fragments = parts(parse(documents.combined(levels=8, width=7, names=3)))
    with pytest.raises(LimitError) as refusal:
        CostPlan(
            operation,
            fragments,
            {},
            WIDE,
            EXECUTABLE_SCHEMA.definition,
            EXECUTABLE_SCHEMA.list_sizes,
        )
    assert refusal.value.details["limit"] == "steps"
