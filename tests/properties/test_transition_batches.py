"""Batches of changes against the same changes one after another: equal answers, equal ledgers."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.commands import (
    CREATE_MANY,
    MOVE,
    MOVE_MANY,
    Ledger,
    broken,
    changes,
    create_input,
    places,
    specs,
)
from tests.properties.lifecycle import Row
from tests.support.citus import BOTH_WAYS, serving_as
from tests.support.effort import examples
from tests.support.service import Service

# `latestEvent` is that after all the changes of a batch.
LATEST = "latestEvent"
Item = tuple[int, Row]


@pytest.fixture(scope="module", **BOTH_WAYS)
async def service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    async with serving_as(request, database_url) as running:
        yield running


def item(change: Any, attempt: int | None, fault: Row) -> Row:
    """Write a change as TransitionJobInput, without the job's id."""
    given: Row = change.input("")
    del given["id"]
    return given | ({} if attempt is None else {"attempt": attempt}) | fault


attempts = st.sampled_from([None, None, 0, 1, 2])
faults = st.just({}) | st.just({}) | st.just({}) | broken.map(lambda each: each[0])
items = st.tuples(places, st.builds(item, changes, attempts, faults))


class Side:
    """An organisation with jobs of the given specs."""

    def __init__(self, service: Service, tables: asyncpg.Connection) -> None:
        self.ledger = Ledger(service, tables)
        self.places: dict[str, int] = {}

    async def create(self, first: list[Row]) -> None:
        made = await self.ledger.ask(CREATE_MANY, input=[create_input(spec) for spec in first])
        self.places = {job["id"]: place for place, job in enumerate(made["jobs"])}

    def input(self, chosen: Item) -> Row:
        place, wanted = chosen
        ids = [*self.places, *[str(uuid4())] * 6]
        return {"id": ids[place], **wanted}

    def plain(self, value: Any) -> Any:
        """Return a value without what differs between two organisations: ids and times."""
        if isinstance(value, dict):
            kept = {name: each for name, each in value.items() if name not in {LATEST, "org_id"}}
            return {name: self.plain(each) for name, each in kept.items() if name != "xid"}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return "a time" if _is_time(value) else self.places.get(str(value), value)

    async def state(self) -> Any:
        rows, events = await self.ledger.read()
        jobs = {self.places[job_id]: self.plain(row) for job_id, row in rows.items()}
        told = {self.places[job_id]: self.plain(each) for job_id, each in events.items()}
        return jobs, told


def _is_time(value: Any) -> bool:
    if isinstance(value, datetime):
        return True
    return isinstance(value, str) and len(value) > 19 and value[10] == "T" and value[:4].isdigit()


def answer_of(side: Side, result: Row, prefix: str = "") -> Row:
    plain: Row = side.plain(result)
    if plain["__typename"] == "JobNotFound":
        return {"__typename": "JobNotFound"}
    if plain["__typename"] == "InvalidInput":
        plain["field"] = plain["field"].removeprefix(prefix)
    return plain


@examples(40)
@given(
    first=st.lists(specs, min_size=1, max_size=4),
    batches=st.lists(st.lists(items, max_size=10), min_size=1, max_size=4),
)
async def test_a_batch_is_as_its_changes_one_after_another(
    service: Service, tables: asyncpg.Connection, first: list[Row], batches: list[list[Item]]
) -> None:
    first = [{**spec, "idempotency_key": None} for spec in first]
    together, alone = Side(service, tables), Side(service, tables)
    await together.create(first)
    await alone.create(first)
    for batch in batches:
        answer = await together.ledger.ask(
            MOVE_MANY, input=[together.input(each) for each in batch]
        )
        results = [
            answer_of(together, result, f"input.{number}.")
            for number, result in enumerate(answer["results"])
        ]
        each = [await alone.ledger.ask(MOVE, input=alone.input(chosen)) for chosen in batch]
        assert results == [answer_of(alone, result) for result in each]
        assert answer["changed"] == sum(r["__typename"] == "JobPayload" for r in results)
        assert answer["changed"] + answer["refused"] == len(batch)
    assert await together.state() == await alone.state()
