"""The queries in the docs and in GraphiQL's examples are valid against the schema."""

import re

import pytest
from graphql import parse, validate

from schema.schema import core_schema
from tests.support.checkout import ROOT

BLOCK = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def queries() -> dict[str, str]:
    found = {
        f"{text.relative_to(ROOT)}:{number}": block
        for text in TEXTS
        for number, block in enumerate(BLOCK.findall(text.read_text()), 1)
    }
    examples = sorted((ROOT / "frontend" / "src" / "graphiql" / "examples").glob("*.graphql"))
    return found | {str(path.relative_to(ROOT)): path.read_text() for path in examples}


QUERIES = queries()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_valid(name: str) -> None:
    assert validate(core_schema, parse(QUERIES[name])) == []


def test_docs_and_examples_are_among_them() -> None:
    assert any(name.startswith("docs/") for name in QUERIES)
    assert any(name.startswith("frontend/") for name in QUERIES)
