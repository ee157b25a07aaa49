"""Every filter selects what its plain meaning says, in lists, counts, groups and timeline alike."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.statuses import JobStatus
from tests.properties.filter_inputs import (
    CONDITIONS,
    event_filters,
    job_filters,
    literal,
    maybe,
)
from tests.properties.predicates import event_meets, meets
from tests.properties.varied import EVENTS, FAR, JOBS, JOBS_BY_ID, NOW, WORDS
from tests.support.effort import examples
from tests.support.ledger import insert
from tests.support.service import Service

SOME = 5
FIELDS = {
    "created": None,
    "started": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
    "deadLettered": "dead_letter",
}
QUERY = f"""
    jobs(filter: FILTER, first: 200) {{
        nodes {{ id }}
        count {{ value isExact }}
        some: count(atMost: {SOME}) {{ value isExact }}
    }}
    statusCounts(filter: FILTER) {{ status count {{ value isExact }} }}
    some: statusCounts(filter: FILTER, atMost: {SOME}) {{ status count {{ value isExact }} }}
    jobGroups(by: [STATUS, PRIORITY], filter: FILTER, first: 200) {{
        key {{ status priority }}
        count
        statusCounts {{ status count {{ value }} }}
    }}
    timeline(
        from: "{(NOW - FAR).isoformat()}", until: "{(NOW + FAR).isoformat()}",
        bucket: DAY, filter: FILTER
    ) {{ created started succeeded failed canceled deadLettered }}
    jobEvents(filter: {{job: FILTER}}, first: 200) {{ nodes {{ id }} count {{ value }} }}
"""
EVENT_QUERY = f"""
    jobEvents(filter: FILTER, first: 200) {{
        nodes {{ id }}
        count {{ value isExact }}
        some: count(atMost: {SOME}) {{ value isExact }}
    }}
"""


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    assert len(EVENTS) <= 200, "one page must hold them all"
    await insert(database_url, JOBS, EVENTS)


async def ask(service: Service, query: str, type_: str, filter_: Any, as_literal: bool) -> Any:
    if as_literal:
        return await service.query("{" + query.replace("FILTER", literal(filter_)) + "}")
    text = f"query ($filter: {type_}) {{{query.replace('FILTER', '$filter')}}}"
    return await service.query(text, {"filter": filter_})


def bounded(number: int) -> dict[str, Any]:
    return {"value": min(number, SOME), "isExact": number <= SOME}


def exact(number: int) -> dict[str, Any]:
    return {"value": number, "isExact": True}


def check(answer: Any, chosen: list[dict[str, Any]]) -> None:
    """Compare all that one filter answers with the jobs that it should choose."""
    ids = {row["id"] for row in chosen}
    assert {node["id"] for node in answer["jobs"]["nodes"]} == {str(id_) for id_ in ids}
    assert answer["jobs"]["count"] == exact(len(ids))
    assert answer["jobs"]["some"] == bounded(len(ids))

    by_status = Counter(row["status"].upper() for row in chosen)
    for name, count in (("statusCounts", exact), ("some", bounded)):
        assert answer[name] == [
            {"status": status.name, "count": count(by_status[status.name])} for status in JobStatus
        ]

    groups = {(g["key"]["status"], g["key"]["priority"]): g for g in answer["jobGroups"]}
    assert {key: group["count"] for key, group in groups.items()} == Counter(
        (row["status"].upper(), row["priority"]) for row in chosen
    )
    for (status, _priority), group in groups.items():
        counts = {each["status"]: each["count"]["value"] for each in group["statusCounts"]}
        assert counts == dict.fromkeys(counts, 0) | {status: group["count"]}

    events = [event for event in EVENTS if event["job_id"] in ids]
    steps = Counter(event["next_status"] for event in events if event["prev_status"])
    sums = {name: sum(bucket[name] for bucket in answer["timeline"]) for name in FIELDS}
    assert sums == {name: steps[status] if status else len(ids) for name, status in FIELDS.items()}
    assert {node["id"] for node in answer["jobEvents"]["nodes"]} == {event_id(e) for e in events}
    assert answer["jobEvents"]["count"]["value"] == len(events)


def event_id(event: dict[str, Any]) -> str:
    return f"{event['job_id']}:{event['seq']}"


@examples(100)
@given(filter_=maybe(job_filters()), as_literal=st.booleans())
async def test_a_filter_chooses_the_same_jobs_everywhere(
    service: Service, filter_: Any, as_literal: bool
) -> None:
    answer = await ask(service, QUERY, "JobFilter", filter_, as_literal)
    now = datetime.now(UTC)
    check(answer, [row for row in JOBS if meets(row, filter_, now)])


@pytest.mark.parametrize("field", CONDITIONS)
@examples(6)
@given(data=st.data())
async def test_each_field_divides_the_jobs(
    service: Service, field: str, data: st.DataObject
) -> None:
    filter_ = {field: data.draw(maybe(CONDITIONS[field]), label=field)}
    answer = await service.query(
        """query ($yes: JobFilter, $no: JobFilter) {
            yes: jobs(filter: $yes, first: 200) { nodes { id } }
            no: jobs(filter: $no, first: 200) { nodes { id } }
        }""",
        {"yes": filter_, "no": {"not": filter_}},
    )
    now = datetime.now(UTC)
    chosen = {str(row["id"]) for row in JOBS if meets(row, filter_, now)}
    others = {str(row["id"]) for row in JOBS} - chosen
    assert {node["id"] for node in answer["yes"]["nodes"]} == chosen
    assert {node["id"] for node in answer["no"]["nodes"]} == others


@examples(60)
@given(filter_=maybe(event_filters), as_literal=st.booleans())
async def test_an_event_filter_chooses_what_it_says(
    service: Service, filter_: Any, as_literal: bool
) -> None:
    answer = await ask(service, EVENT_QUERY, "JobEventFilter", filter_, as_literal)
    now = datetime.now(UTC)
    chosen = [e for e in EVENTS if event_meets(e, JOBS_BY_ID[e["job_id"]], filter_, now)]
    assert {node["id"] for node in answer["jobEvents"]["nodes"]} == {event_id(e) for e in chosen}
    assert answer["jobEvents"]["count"] == exact(len(chosen))
    assert answer["jobEvents"]["some"] == bounded(len(chosen))


@pytest.mark.parametrize(
    "condition", ["eq", "in", "notIn", "startsWith", "contains", "containsIgnoreCase"]
)
@pytest.mark.parametrize("field", ["type", "lastErrorMessage"])
async def test_text_is_taken_literally(service: Service, field: str, condition: str) -> None:
    pieces = [*WORDS, *(word[:2] for word in WORDS), "a%", "%a", "__", "a_", "100_", "%%"]
    filters = [
        {field: {condition: [piece] if condition in {"in", "notIn"} else piece}} for piece in pieces
    ]
    asked = " ".join(
        f"f{number}: jobs(filter: {literal(filter_)}, first: 200) {{ nodes {{ id }} }}"
        for number, filter_ in enumerate(filters)
    )
    answer = await service.query(f"{{ {asked} }}")
    now = datetime.now(UTC)
    for number, filter_ in enumerate(filters):
        chosen = {str(row["id"]) for row in JOBS if meets(row, filter_, now)}
        assert {node["id"] for node in answer[f"f{number}"]["nodes"]} == chosen, filter_
