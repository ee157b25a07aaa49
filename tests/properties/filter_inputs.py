"""Filters as GraphQL input values, made of what the varied ledger holds; and as literals."""

import json
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from db.statuses import JobStatus
from tests.properties.predicates import NUMBERS, TEXTS, TIMES
from tests.properties.varied import DOCUMENTS, JOBS, SOURCES, THRESHOLDS, WORDS
from tests.properties.varied import TIMES as MOMENTS

Strategy = st.SearchStrategy[Any]


class Word(str):
    """An enum's value: in a document it stands without quotes."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Write an input value as a document does."""
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def maybe(values: Strategy) -> Strategy:
    """Now and then null: no condition."""
    return st.one_of(st.none(), values, values, values)


def some_of(options: dict[str, Strategy], *, most: int = 2) -> Strategy:
    """An input object with a few of these fields."""
    names = st.lists(st.sampled_from(list(options)), unique=True, max_size=most)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: maybe(options[name]) for name in chosen})
    )


def _within(value: Any) -> list[Any]:
    """A value and all that is nested in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(part for item in inner for part in _within(item))]


_stored = {str(row[name]) for row in JOBS for name in TEXTS.values() if row.get(name) is not None}
_texts = st.sampled_from(sorted(_stored | set(WORDS)))
_pieces = st.one_of(
    st.sampled_from(["%", "_", "\\", "a_", "a%", "%a", "100_"]),
    _texts.flatmap(lambda text: st.sampled_from([text, text[:2], text[1:], text[-1:]])),
)
_numbers = st.sampled_from([-(2**31), -1, 0, 1, 2, 3, 2**31 - 1])
_offsets = st.sampled_from([0, 330, -480]).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.builds(
    lambda at, shift, offset: (at + timedelta(microseconds=shift)).astimezone(offset).isoformat(),
    st.sampled_from(MOMENTS),
    st.sampled_from([0, 0, 1, -1]),
    _offsets,
)
_documents = st.one_of(
    st.sampled_from([part for document in DOCUMENTS for part in _within(document)]),
    st.recursive(
        st.sampled_from([1, 1.0, 2, "x", True, None, "1"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2)
        ),
        max_leaves=4,
    ),
)
_ids = st.sampled_from([str(row["id"]) for row in JOBS] + ["0198b6a0-0000-7000-8000-000000000000"])
_error_groups = st.sampled_from([f"error-group:{row['error_group'] or row['id']}" for row in JOBS])
_statuses = st.lists(st.sampled_from([Word(status.name) for status in JobStatus]), max_size=3)

_text_filters = some_of(
    {
        "eq": _texts,
        "in": st.lists(_texts, max_size=8),
        "notIn": st.lists(_texts, max_size=8),
        "startsWith": _pieces,
        "contains": _pieces,
        "containsIgnoreCase": _pieces | _pieces.map(str.upper),
        "isNull": st.booleans(),
    }
)
_number_filters = some_of(
    {"eq": _numbers, "in": st.lists(_numbers, max_size=3), "gte": _numbers, "lte": _numbers}
)
_durations = st.sampled_from([-1, 0, 1e-6, 1, 1.5, 1800, 86_400, 1e300])
_duration_filters = some_of({"gte": _durations, "lt": _durations})
_id_pieces = _ids.flatmap(
    lambda id_: st.integers(7, 36).map(lambda length: id_[:length]) | st.just(id_.upper())
)
_time_filters = some_of({"gte": _moments, "lt": _moments, "isNull": st.booleans()})

CONDITIONS: dict[str, Strategy] = {
    "ids": st.lists(_ids | _ids.map(str.upper), max_size=20),
    "errorGroup": _error_groups,
    "status": _statuses,
    **dict.fromkeys(TEXTS, _text_filters),
    **dict.fromkeys(NUMBERS, _number_filters),
    **dict.fromkeys(TIMES, _time_filters),
    "waitingLongerThan": st.sampled_from(THRESHOLDS),
    "runningLongerThan": st.sampled_from(THRESHOLDS),
    "waitSeconds": _duration_filters,
    "runSeconds": _duration_filters,
    "search": _pieces | _pieces.map(str.upper) | _id_pieces | st.just("no such job"),
    "payloadContains": _documents,
    "parentId": _ids | _ids.map(str.upper) | st.just(str(UUID(int=7))),
    "source": st.sampled_from([f"source:{each}" for each in (*SOURCES, UUID(int=7))]),
    "tags": st.lists(st.sampled_from(WORDS), max_size=2)
    | st.sampled_from([row["tags"] for row in JOBS if row["tags"]]),
}


def job_filters(depth: int = 3) -> Strategy:
    """JobFilters nested up to so deep in and, or and not."""
    own = some_of(CONDITIONS)
    if depth == 0:
        return own
    inner = job_filters(depth - 1)
    parts = st.lists(inner, max_size=3)
    nested = some_of({"and": parts, "or": parts, "not": inner}, most=1)
    return own | st.builds(dict.__or__, some_of(CONDITIONS, most=1), nested)


event_filters = some_of(
    {
        "jobIds": st.lists(_ids, max_size=20),
        "nextStatus": _statuses,
        "prevStatus": _statuses,
        "ts": _time_filters,
        "detailContains": _documents,
        "job": job_filters(2),
    },
    most=3,
)
