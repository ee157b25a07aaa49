"""Walking pages of jobs: each exactly once and in order, for any size, direction and order."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.paging import (
    ARGUMENTS,
    FLAGS,
    PAGE,
    PAGE_VARIABLES,
    Row,
    asker,
    check,
    check_seen,
    moments,
    sizes,
    walk,
    window,
)
from tests.support.effort import examples
from tests.support.ledger import insert, job
from tests.support.service import Service

FUTURE = datetime.max.replace(tzinfo=UTC)
SORT_KEYS: dict[str, Callable[[Row], Any]] = {
    "CREATED_AT": lambda row: row["created_at"],
    "UPDATED_AT": lambda row: row["updated_at"],
    "FINISHED_AT": lambda row: row["finished_at"] or FUTURE,
    "PRIORITY": lambda row: row["priority"],
    "SCHEDULED_AT": lambda row: row["scheduled_at"] or FUTURE,
    "STARTED_AT": lambda row: row["started_at"] or FUTURE,
}
FILTERS: dict[str, tuple[Any, Callable[[Row], bool]]] = {
    "none": (None, lambda _row: True),
    "status": ({"status": ["QUEUED"]}, lambda row: row["finished_at"] is None),
    "statuses": ({"status": ["QUEUED", "SUCCEEDED", "FAILED"]}, lambda _row: True),
    "priority": ({"priority": {"gte": 0}}, lambda row: row["priority"] >= 0),
}

JOBS = f"""query ($filter: JobFilter, $orderBy: JobOrder, {PAGE_VARIABLES}) {{
    page: jobs(filter: $filter, orderBy: $orderBy, {ARGUMENTS}) {{ {PAGE} }}
    flags: jobs(filter: $filter, orderBy: $orderBy, {ARGUMENTS}) {{ {FLAGS} }}
}}"""


def tied_job(**values: Any) -> Row:
    return job(status="queued" if values["finished_at"] is None else "succeeded", **values)


tied_jobs = st.lists(
    st.builds(
        tied_job,
        id=st.uuids(),
        created_at=moments,
        updated_at=moments,
        finished_at=st.none() | moments,
        priority=st.sampled_from([-1, 0, 7]),
        scheduled_at=st.none() | moments,
        started_at=st.none() | moments,
    ),
    max_size=16,
    unique_by=lambda row: row["id"],
)


def of(org: UUID, rows: list[Row]) -> list[Row]:
    return [row | {"org_id": org} for row in rows]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", SORT_KEYS)
@examples(12)
@given(
    rows=tied_jobs,
    later=st.integers(0, 8),
    size=sizes,
    backward=st.booleans(),
    wanted=st.sampled_from(list(FILTERS)),
)
async def test_a_walk_meets_each_job_once_while_jobs_are_inserted(
    service: Service,
    database_url: str,
    field: str,
    direction: str,
    rows: list[Row],
    later: int,
    size: int,
    backward: bool,
    wanted: str,
) -> None:
    filter_, holds = FILTERS[wanted]
    org = uuid4()
    waiting, present = of(org, rows[:later]), of(org, rows[later:])
    await insert(database_url, present)

    def ids() -> list[str]:
        chosen = sorted(
            (row for row in present if holds(row)),
            key=lambda row: (SORT_KEYS[field](row), row["id"]),
            reverse=direction == "DESC",
        )
        return [str(row["id"]) for row in chosen]

    async def grow() -> None:
        added, waiting[:] = waiting[:2], waiting[2:]
        await insert(database_url, added)
        present.extend(added)

    at_first = ids()
    order = {"field": field, "direction": direction}
    ask = asker(service, JOBS, org, filter=filter_, orderBy=order)
    seen = await walk(ask, ids, size, backward, grow)
    check_seen(seen, at_first, backward)


@examples(20)
@given(
    rows=tied_jobs.filter(bool),
    field=st.sampled_from(list(SORT_KEYS)),
    size=st.integers(0, 7),
    data=st.data(),
)
async def test_a_page_begins_at_any_edge(
    service: Service, database_url: str, rows: list[Row], field: str, size: int, data: st.DataObject
) -> None:
    org = uuid4()
    await insert(database_url, of(org, rows))
    ask = asker(service, JOBS, org, orderBy={"field": field})
    edges = (await ask())["page"]["edges"]
    ids = [edge["node"]["id"] for edge in edges]
    at = data.draw(st.integers(0, len(ids) - 1), label="edge")
    cursor = edges[at]["cursor"]
    check(await ask(first=size, after=cursor), ids, *window(len(ids), size, False, at + 1))
    check(await ask(last=size, before=cursor), ids, *window(len(ids), size, True, at))
    check(await ask(after=cursor), ids, at + 1, len(ids))
    check(await ask(before=cursor), ids, 0, at)
