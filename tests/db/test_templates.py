"""Compiled statements: found by their shape, which values are no part of, and bounded in number."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import ARRAY, Text, any_, column, literal, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from db import templates
from db.criteria import IntCriteria, JobCriteria, JsonContainment, TextCriteria, TimeCriteria
from db.engine import create_engine
from db.queries.filters import job_conditions
from db.queries.keyset import JOB_ORDERS, JOBS_NEWEST_FIRST, JobOrderField, Window, page
from db.statuses import JobStatus
from db.tables import job_table
from db.templates import Constant, Templates

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Order(Constant):
    name: str


@pytest.fixture
def dialect() -> Any:
    engine: AsyncEngine = create_engine("postgresql://nowhere")
    return engine.dialect


def build(org_id: Any, criteria: Any, window: Any, columns: frozenset[str]) -> Any:
    wanted = [each for each in job_table.c if each.name in columns]
    return page(select(*wanted).where(job_conditions(org_id, criteria)), window)


def arguments(**criteria: Any) -> tuple[Any, ...]:
    window = Window(JOBS_NEWEST_FIRST, 5, (NOW, uuid4()))
    return uuid4(), JobCriteria(**criteria), window, frozenset({"id"})


SHAPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"type": TextCriteria(eq="a")}, {"type": TextCriteria(eq="b")}),
    ({"type": TextCriteria(in_=["a"])}, {"type": TextCriteria(in_=["b", "c", "d"])}),
    ({"priority": IntCriteria(gte=0)}, {"priority": IntCriteria(gte=1)}),
    ({"created_at": TimeCriteria(lt=NOW)}, {"created_at": TimeCriteria(lt=datetime.now(UTC))}),
    ({"ids": [uuid4()]}, {"ids": [uuid4(), uuid4()]}),
    (
        {"status": [JobStatus.QUEUED, JobStatus.FAILED]},
        {"status": [JobStatus.FAILED, JobStatus.QUEUED, JobStatus.FAILED]},
    ),
    (
        {"payload_contains": JsonContainment({"a": [1]})},
        {"payload_contains": JsonContainment({"b": {"c": "d"}})},
    ),
    (
        {"or_": [JobCriteria(type=TextCriteria(eq="a")), JobCriteria(attempt=IntCriteria(eq=1))]},
        {"or_": [JobCriteria(type=TextCriteria(eq="b")), JobCriteria(attempt=IntCriteria(eq=2))]},
    ),
]


@pytest.mark.parametrize(("one", "other"), SHAPES)
def test_values_are_no_part_of_the_shape(dialect: Any, one: Any, other: Any) -> None:
    cache = Templates()
    first, values = cache.get(dialect, build, arguments(**one))
    second, others = cache.get(dialect, build, arguments(**other))
    assert first is second
    assert len(cache) == 1
    assert len(first.parameters(values)) == len(first.parameters(others))


def test_shapes_differ(dialect: Any) -> None:
    cache = Templates()
    every = [
        *(one for one, _ in SHAPES),
        {"status": []},
        {"status": [JobStatus.FAILED]},
        {"or_": []},
        {"ids": []},
        {"type": TextCriteria(is_null=True)},
        {"type": TextCriteria(is_null=False)},
        {"not_": JobCriteria()},
    ]
    for each in every:
        cache.get(dialect, build, arguments(**each))
    assert len(cache) == len(every)
    org_id, criteria, _, columns = arguments()
    for order in JOB_ORDERS.values():
        cache.get(dialect, build, (org_id, criteria, Window(order, 5), columns))
    assert len(cache) == len(every) + 2 * len(JobOrderField)


def test_the_parameters_are_what_was_given(dialect: Any) -> None:
    given = arguments(type=TextCriteria(eq="a"), payload_contains=JsonContainment({"b": 1}))
    template, values = Templates().get(dialect, build, given)
    parameters = template.parameters(values)
    assert given[0] in parameters
    assert "a" in parameters
    assert '{"b":1}' in parameters
    assert parameters[-1] == 5
    assert template.names == ("id",)


def some(number: Any, texts: Any) -> Any:
    return (
        select(column("a"))
        .select_from(table("t"))
        .where(column("a", Text()) == any_(literal(texts, ARRAY(Text()))))
        .limit(literal(number))
    )


def test_a_change_of_the_arguments_is_seen(dialect: Any) -> None:
    cache = Templates()
    for number in range(3):
        template, values = cache.get(dialect, some, (number, ["x"] * number or ["y"]))
        assert number in template.parameters(values)
    assert len(cache) == 1


def test_they_are_bounded(dialect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MAX_TEMPLATES", 3)
    cache = Templates()
    shapes = [{"or_": [JobCriteria()] * number} for number in range(6)]
    for shape in shapes:
        cache.get(dialect, build, arguments(**shape))
    assert len(cache) == 3
    kept, _ = cache.get(dialect, build, arguments(**shapes[-1]))
    again, _ = cache.get(dialect, build, arguments(**shapes[-1]))
    assert kept is again
    # A long statement is not kept at all.
    long = {"or_": [JobCriteria(type=TextCriteria(eq="a"))] * 500}
    one, _ = cache.get(dialect, build, arguments(**long))
    other, _ = cache.get(dialect, build, arguments(**long))
    assert one is not other
    assert one.sql == other.sql
    assert len(cache) == 3
