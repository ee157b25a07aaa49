"""Documents that are made to exhaust a server: each is refused with its code, and costs nothing."""

import pytest

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.models import Request, Response
from schema.execution.run import prepare
from schema.limits.document_limits import DocumentLimits
from tests.schema.limits import documents
from tests.support.rules import ANY_RULES

EVENTS = "events(first: 1) { nodes { id } }"
WIDE = Rules(
    EXECUTABLE_SCHEMA, DocumentLimits(max_aliases=10_000, max_root_fields=10_000, max_depth=200)
)
FLOODS = {
    "aliases": (documents.aliases(1_000), "LIMIT_EXCEEDED"),
    "aliases, beyond the tokens": (documents.aliases(5_000), "LIMIT_EXCEEDED"),
    "directives": (documents.directives(1_000), "LIMIT_EXCEEDED"),
    "unknown directives": ("{ __typename" + " @x" * 1_000 + " }", "LIMIT_EXCEEDED"),
    "operations": (documents.operations(1_000), "LIMIT_EXCEEDED"),
    "comments": ("#\n" * 100_000 + "{ __typename }", "LIMIT_EXCEEDED"),
    "nested spreads": (documents.nested(24), "LIMIT_EXCEEDED"),
    "circles": (documents.circular(200), "LIMIT_EXCEEDED"),
    "a chain": (documents.doubled(300), "LIMIT_EXCEEDED"),
    "brackets": ("{ a " * 10_000, "GRAPHQL_PARSE_FAILED"),
    "nested values": (f"{{ jobs(filter: {'{not: ' * 5_000}", "GRAPHQL_PARSE_FAILED"),
    "the schema, round and round": (
        "{ __schema { types " + "{ fields { type " * 60 + "{ name }" + " } }" * 60 + " } }",
        "LIMIT_EXCEEDED",
    ),
    "one field again and again": (f"{{ jobs {{ nodes {{ {EVENTS * 300} }} }} }}", "LIMIT_EXCEEDED"),
    "it in fragments": (
        f"{{ jobs {{ nodes {{ {f'... on Job {{ {EVENTS} }} ' * 180} }} }} }}",
        "LIMIT_EXCEEDED",
    ),
    "all of the schema, many times": (
        "{ "
        + " ".join(
            f"a{n}: __schema {{ types {{ fields {{ args {{ name }} }} inputFields {{ name }} enumValues {{ name }} }} }}"
            for n in range(20)
        )
        + " }",
        "COST_EXCEEDED",
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_refused(name: str) -> None:
    text, code = FLOODS[name]
    refused = prepare(Request(text), ANY_RULES)
    assert isinstance(refused, Response)
    assert refused.codes() == {code}


def test_faults_are_listed_up_to_a_bound() -> None:
    refused = prepare(Request("{" + " ".join(f"jbos{n}" for n in range(2_000)) + "}"), WIDE)
    assert isinstance(refused, Response)
    assert refused.codes() == {"GRAPHQL_VALIDATION_FAILED"}
    assert len(refused.errors) == 21
