"""Walking pages of events, of all jobs and of each job, while events are inserted."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

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

EVENTS = f"""query ({PAGE_VARIABLES}) {{
    page: jobEvents({ARGUMENTS}) {{ {PAGE} }}
    flags: jobEvents({ARGUMENTS}) {{ {FLAGS} }}
}}"""
EVENTS_OF_JOBS = f"""query ({PAGE_VARIABLES}) {{
    jobs {{ nodes {{
        id
        page: events({ARGUMENTS}) {{ {PAGE} }}
        flags: events({ARGUMENTS}) {{ {FLAGS} }}
    }} }}
}}"""


moments_of_jobs = st.lists(st.lists(moments, max_size=6), max_size=4)


def events_at(org: UUID, owner: Row, moments: list[datetime], first_seq: int = 1) -> list[Row]:
    return [
        {
            "org_id": org,
            "job_id": owner["id"],
            "seq": seq,
            "ts": ts,
            "next_status": "queued",
            "attempt": 0,
        }
        for seq, ts in enumerate(moments, start=first_seq)
    ]


def event_id(row: Row) -> str:
    return f"{row['job_id']}:{row['seq']}"


@examples(25)
@given(
    jobs=moments_of_jobs,
    later=st.lists(st.tuples(st.integers(0, 3), moments), max_size=4),
    size=sizes,
    backward=st.booleans(),
)
async def test_a_walk_meets_each_event_once_while_events_are_inserted(
    service: Service,
    database_url: str,
    jobs: list[list[datetime]],
    later: list[tuple[int, datetime]],
    size: int,
    backward: bool,
) -> None:
    org = uuid4()
    owners = [job(org_id=org) for _ in jobs]
    present = [
        row for owner, at in zip(owners, jobs, strict=True) for row in events_at(org, owner, at)
    ]
    await insert(database_url, owners, present)
    waiting = [(owners[number], ts) for number, ts in later if number < len(owners)]

    def ids() -> list[str]:
        chosen = sorted(present, key=lambda row: (row["ts"], row["job_id"], row["seq"]))
        return [event_id(row) for row in reversed(chosen)]

    async def grow() -> None:
        if waiting:
            owner, ts = waiting.pop()
            seq = 1 + sum(row["job_id"] == owner["id"] for row in present)
            added = events_at(org, owner, [ts], seq)
            await insert(database_url, [], added)
            present.extend(added)

    at_first = ids()
    seen = await walk(asker(service, EVENTS, org), ids, size, backward, grow)
    check_seen(seen, at_first, backward)


@examples(20)
@given(jobs=moments_of_jobs.filter(any), size=st.integers(0, 7), data=st.data())
async def test_pages_of_many_jobs_events_are_each_jobs_own(
    service: Service,
    database_url: str,
    jobs: list[list[datetime]],
    size: int,
    data: st.DataObject,
) -> None:
    org = uuid4()
    owners = [job(org_id=org) for _ in jobs]
    rows = [events_at(org, owner, at) for owner, at in zip(owners, jobs, strict=True)]
    await insert(database_url, owners, [row for of_one in rows for row in of_one])
    ids = {str(o["id"]): [event_id(e) for e in es] for o, es in zip(owners, rows, strict=True)}
    ask = asker(service, EVENTS_OF_JOBS, org)

    async def compare(backward: bool, place: int | None, **arguments: Any) -> list[Any]:
        nodes = (await ask(**arguments))["jobs"]["nodes"]
        assert {node["id"] for node in nodes} == ids.keys()
        for node in nodes:
            own = ids[node["id"]]
            check(node, own, *window(len(own), size, backward, place))
        return [edge for node in nodes for edge in node["page"]["edges"]]

    edges = await compare(False, None, first=size)
    edges += await compare(True, None, last=size)
    if edges:
        edge = data.draw(st.sampled_from(edges), label="edge")
        seq = int(edge["node"]["id"].partition(":")[2])
        await compare(False, seq, first=size, after=edge["cursor"])
        await compare(True, seq - 1, last=size, before=edge["cursor"])
