"""The example queries, checked against the contract without a browser or a server."""

import json

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

from tests.support.checkout import ROOT

EXAMPLES = sorted((ROOT / "frontend" / "src" / "graphiql" / "examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def contract():
    return build_schema((ROOT / "schema.graphql").read_text())


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_valid_and_explained(path, contract):
    text = path.read_text()
    document = parse(text)

    assert text.startswith("# ")
    assert validate(contract, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    # The page names a tab after its operation.
    assert operation.name.value == path.stem.split("-", 1)[1].title().replace("-", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_has_the_variables_it_declares(path, contract):
    (operation,) = parse(path.read_text()).definitions
    given = path.with_suffix(".json")
    if not given.exists():
        # These are computed from the date when the page loads.
        is_computed = path.stem.endswith(("-timeline", "-before-and-after"))
        assert not operation.variable_definitions or is_computed
        return
    variables = json.loads(given.read_text())
    assert set(variables) == {d.variable.name.value for d in operation.variable_definitions}
    assert not isinstance(
        get_variable_values(contract, operation.variable_definitions, variables), list
    )
