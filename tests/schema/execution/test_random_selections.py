"""Random documents on objects that answer by dice: both executors give the same responses."""

import gc
from random import Random

import pytest
from graphql import parse, validate
from graphql.validation import NoUnusedVariablesRule, specified_rules

from tests.schema.execution.both import DROPS_COROUTINES, both, compiled
from tests.schema.execution.dice import Dice
from tests.schema.execution.selections import Writer
from tests.schema.execution.small_schema import SCHEMA
from tests.support.effort import first

pytestmark = DROPS_COROUTINES
RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]
# The share of answers that are not what they should be.
TROUBLE = [0.0, 0.05, 0.2, 0.5]
DOCUMENTS = 20


@pytest.mark.parametrize("part", first(4, range(50)))
@pytest.mark.parametrize("operation", ["query", "mutation"])
async def test_random_documents(operation: str, part: int) -> None:
    """`part`: of all documents, whose numbers are the seeds that they are written by."""
    for number in range(part * DOCUMENTS, (part + 1) * DOCUMENTS):
        await check(operation, number)
    gc.collect()


async def check(operation: str, number: int) -> None:
    """Run one document several times by one plan, on other objects each time."""
    writer = Writer(Random(number))
    document = parse(writer.document(operation))
    assert not validate(SCHEMA, document, RULES), number
    variables = writer.variables()
    plan = compiled(document, variables)
    for seed in range(number, number + 2 * len(TROUBLE)):
        root = Dice(seed, TROUBLE[seed % len(TROUBLE)]).root()
        await both(document, root, variables, plan)
