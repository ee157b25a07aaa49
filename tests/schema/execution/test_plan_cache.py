"""How many plans of a document are kept, and that an error is not kept with its request."""

from typing import Any

import pytest

from schema.execution.compiling import NotCompilableError
from schema.execution.plan_cache import CACHED_PLAN_FIELDS, CACHED_PLANS, PlanCache
from schema.execution.plans import Level, Plan


def plan(size: int) -> Plan:
    nothing: Any = None
    return Plan(nothing, {}, nothing, Level(nothing, counts=False), [], size)


def compiled(cache: PlanCache, keys: range, size: int) -> list[int]:
    made: list[int] = []
    for key in keys:

        def compile_(key: int = key) -> Plan:
            made.append(key)
            return plan(size)

        cache.get(key, compile_)
    return made


def test_few_plans_are_kept() -> None:
    cache = PlanCache()
    keys = range(CACHED_PLANS + 3)
    assert compiled(cache, keys, 1) == list(keys)
    assert compiled(cache, keys, 1) == list(keys)[-3:]


def test_few_fields_are_kept() -> None:
    cache = PlanCache()
    keys = range(3)
    size = CACHED_PLAN_FIELDS // 2
    compiled(cache, keys, size)
    assert compiled(cache, keys, size) == [2]
    assert compiled(PlanCache(), keys, CACHED_PLAN_FIELDS + 1) == list(keys)


def test_what_cannot_be_compiled_is_kept_as_its_reason() -> None:
    cache = PlanCache()
    tried: list[str] = []

    def compile_() -> Plan:
        tried.append("once")
        raise NotCompilableError("introspection")

    errors = []
    for _ in range(3):
        with pytest.raises(NotCompilableError, match="introspection") as raised:
            cache.get("key", compile_)
        errors.append(raised.value)
    assert tried == ["once"]
    # A traceback has the frames of a request.
    assert len({id(error) for error in errors}) == len(errors)
    assert not any(isinstance(each, Exception) for each in cache._plans.values())
