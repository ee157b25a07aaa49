"""Facts in any order, repeated, in any batches: the same jobs, and sums that agree with them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import EngineOptions, Scope, create_engine
from db.facts import Fact, Source, record_facts
from db.progress import Progress
from db.queries.aggregates import count_jobs_by_status
from db.queries.error_groups import list_error_groups, read_new_errors
from db.queries.timelines import count_changes
from db.request_session import RequestSession
from db.session_scope import session_scope
from db.statuses import JobStatus
from db.tallies.summing import Outcome, sum_once
from tests.support.effort import examples
from tests.support.ledger import EPOCH

SOURCE = Source("shop", "test")
# Some cut hours, of which there are sums of minutes.
EDGES = [EPOCH + timedelta(hours=hours) for hours in (0, 0.75, 1, 2, 2.25, 26)]

times = st.integers(0, 6).map(lambda steps: EPOCH + timedelta(minutes=25 * steps))
texts = st.sampled_from(["a", "b", "c"])
# jsonb has keys in an order of its own, and writes numbers without exponents.
NESTED = {"long": [1e22, {"b": 1, "aa": 2}], "c": 1e-7}
documents = st.sampled_from([{}, {"n": 1}, {"n": 2.5}, [None], "text", 7, 1e22, NESTED])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


facts = st.builds(
    Fact,
    external_id=st.sampled_from(["1", "job-2", "0190b8c5-0000-7000-8000-000000000006"]),
    ts=times,
    status=st.sampled_from(JobStatus),
    attempt=maybe(st.integers(0, 3)),
    is_exact=st.booleans(),
    type=maybe(texts),
    queue=maybe(texts),
    priority=maybe(st.integers(-2, 2)),
    max_attempts=maybe(st.integers(1, 5)),
    requested_by=maybe(texts),
    payload=maybe(documents),
    tags=maybe(st.lists(texts, max_size=3)),
    batch=maybe(texts),
    parent_external_id=maybe(st.sampled_from(["1", "2"])),
    scheduled_at=maybe(times),
    result=maybe(documents),
    worker=maybe(texts),
    error_code=maybe(texts),
    error_message=maybe(st.sampled_from(["", "it failed"])),
    detail=maybe(st.dictionaries(st.sampled_from(["a", "b", "words"]), documents, max_size=2)),
    progress=maybe(st.builds(Progress, st.sampled_from([0.25, 1.0]), maybe(texts))),
)


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, EngineOptions(pool_size=4))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def tell(engine: AsyncEngine, org_id: UUID, given: Sequence[Fact]) -> None:
    async with session_scope(org_id, engine=engine) as session:
        result = await record_facts(session, org_id, SOURCE, given)
    assert (result.recorded + result.known, result.faults) == (len(given), [])


async def sum_some(engine: AsyncEngine, org_id: UUID, steps: int) -> None:
    for _ in range(steps):
        step = await sum_once(engine, org_id, max_keys=3, slice_events=2, now=EPOCH)
        if step.outcome is Outcome.DONE:
            break


async def stored(owner: Any, org_id: UUID) -> list[Any]:
    """Read all jobs and their events, without what their order of arrival determines."""
    jobs = await owner.fetch(
        "SELECT to_jsonb(job) - '{org_id,event_seq,source_id}'::text[] AS job, "
        "ARRAY(SELECT to_jsonb(event) - '{org_id,seq,xid}'::text[] FROM job_event AS event "
        "WHERE event.org_id = job.org_id AND event.job_id = job.id ORDER BY event.seq) AS events "
        "FROM job WHERE org_id = $1 ORDER BY id",
        org_id,
    )
    return [(orjson.loads(row["job"]), [orjson.loads(e) for e in row["events"]]) for row in jobs]


@examples(300)
@given(told=st.lists(facts, min_size=1, max_size=8), data=st.data())
async def test_their_order_and_number_make_no_difference(
    engine: AsyncEngine, owner: Any, told: list[Fact], data: st.DataObject
) -> None:
    straight, other = uuid4(), uuid4()
    await tell(engine, straight, told)
    again = data.draw(
        st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=4))])
    )
    size = data.draw(st.integers(1, 4))
    for start in range(0, len(again), size):
        await tell(engine, other, again[start : start + size])
        await sum_some(engine, other, data.draw(st.integers(0, 4)))
    expected = await stored(owner, straight)
    assert await stored(owner, other) == expected
    # All of it is known by now.
    async with session_scope(other, engine=engine) as session:
        assert (await record_facts(session, other, SOURCE, told)).recorded == 0
    await check_sums(engine, other, expected)
    await sum_some(engine, other, 100)
    await check_sums(engine, other, expected)


async def check_sums(engine: AsyncEngine, org_id: UUID, expected: list[Any]) -> None:
    steps = [
        (datetime.fromisoformat(e["ts"]), e["prev_status"], e["next_status"])
        for _, events in expected
        for e in events
        if e["prev_status"] != e["next_status"]
    ]
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        counts = await count_jobs_by_status(begun, org_id, None, None)
        found = await count_changes(begun, org_id, None, EDGES)
        new = await read_new_errors(begun, org_id)
        groups = await list_error_groups(begun, org_id, new, None)
    assert {k.value: n for k, n in counts.items() if n} == Counter(j["status"] for j, _ in expected)
    for changes, start, until in zip(found, EDGES, EDGES[1:], strict=False):
        within = [step for step in steps if start <= step[0] < until]
        assert changes.created == sum(prev is None for _, prev, _ in within)
        assert +changes.entered == Counter(JobStatus(to) for _, _, to in within)
        assert +changes.left == Counter(JobStatus(prev) for _, prev, _ in within if prev)
    ends = {"failed", "canceled", "dead_letter"}
    errors = [
        e
        for _, events in expected
        for e in events
        if e["prev_status"] != e["next_status"]
        and e["next_status"] in ends
        and (e["detail"] or {}).keys() & {"error_code", "error_message"}
    ]
    assert sum(group.events for group in groups) == len(errors)


@examples(100)
@given(told=st.lists(facts, min_size=2, max_size=8), are_exact=st.booleans(), data=st.data())
async def test_as_they_happen_they_make_the_same_jobs(
    engine: AsyncEngine, owner: Any, told: list[Fact], are_exact: bool, data: st.DataObject
) -> None:
    # Almost all of them come after what is stored, and of many jobs this is all exact.
    facts = [
        replace(
            fact,
            external_id="1",
            ts=EPOCH + timedelta(minutes=25 * number),
            attempt=None if fact.attempt is None else min(fact.attempt, number),
            is_exact=are_exact or fact.is_exact,
        )
        for number, fact in enumerate(told)
    ]
    straight, other = uuid4(), uuid4()
    await tell(engine, straight, facts)
    size = data.draw(st.integers(1, 2))
    for start in range(0, len(facts), size):
        await tell(engine, other, facts[start : start + size])
    assert await stored(owner, other) == await stored(owner, straight)


async def test_processes_that_tell_of_one_job_at_once(engine: AsyncEngine, owner: Any) -> None:
    org_id = uuid4()
    steps = [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED]
    told = [
        Fact(str(number), EPOCH + timedelta(minutes=minute), status, type="a")
        for number in range(20)
        for minute, status in enumerate(steps)
    ]
    await asyncio.gather(*(tell(engine, org_id, told[start::4]) for start in range(4)))
    found = await stored(owner, org_id)
    assert len(found) == 20
    for job, events in found:
        assert (job["status"], job["attempt"]) == ("succeeded", 1)
        assert [e["next_status"] for e in events] == [status.value for status in steps]
