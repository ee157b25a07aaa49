"""No byte of another organisation: every answer is what it would be if there were no other.

The same is asked of two databases, of one that has our jobs alone and of one that has theirs too.
"""

import asyncio
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from db.queries.keyset import EVENTS_NEWEST_FIRST
from resolvers.cursors import encode
from schema.execution.models import Response
from schema.execution.subscription_responses import SubscriptionResponses
from schema.schema import core_schema
from server.response_encoding import dumps
from tests.conftest import create_database, database_in, drop_database
from tests.resolvers.roles.asking import ADMIN, OPERATOR, VIEWER, Asking, asking
from tests.resolvers.roles.ledgers import (
    MARK,
    OF_SOURCE,
    OUR_CURSORS,
    OUR_EVENTS,
    OUR_IDS,
    OURS,
    THEIR_CURSORS,
    THEIR_EVENTS,
    THEIR_IDS,
    THEIRS,
    UNKNOWN,
    source_of,
)
from tests.resolvers.roles.walks import all_fields, operation, reached
from tests.support.effort import first
from tests.support.ledger import EPOCH, insert
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, OTHER_ORG

NOW = datetime(2026, 2, 1, tzinfo=UTC)
# When some jobs had just been started, and what tells of that.
WHILE_STARTING = EPOCH + timedelta(minutes=10)
AT_ONCE = ["jobs", "queues", "workers"]
CURSORS = re.compile(rb'(ursor":)"([^"]+)"')
UUIDS = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KNOWN = {each[:36].encode() for each in (*OUR_IDS, *THEIR_IDS, UNKNOWN)}
JOB_IDS = [OUR_IDS[0], THEIR_IDS[0], UNKNOWN]
GROUP_IDS = [f"error-group:{row['error_group']}" for row in (OURS[0], THEIRS[0])]
NODE_IDS = [
    *JOB_IDS,
    *GROUP_IDS,
    OUR_IDS[-1],
    THEIR_IDS[-1],
    f"{UNKNOWN}:1",
    f"{OUR_IDS[0]}:99",
    "x",
]
SOURCE_IDS = [f"source:{source_of(org)}" for org in (ORG, OTHER_ORG)]
NODE_IDS += [*SOURCE_IDS, "source:x"]
NODE_IDS += ["batch:shared", "batch:ours", f"batch:{MARK}", "batch:"]
FILTERS: list[Any] = [
    None,
    {},
    {"ids": THEIR_IDS[:3]},
    {"ids": [OUR_IDS[0], THEIR_IDS[0]]},
    {"not": {"ids": OUR_IDS[:2]}},
    {"or": [{"type": {"startsWith": MARK}}, {"queue": {"eq": MARK}}]},
    {"idempotencyKey": {"eq": "key0"}},
    {"idempotencyKey": {"eq": "key8"}},
    {"payloadContains": {"mark": MARK}},
    {"lastErrorMessage": {"contains": MARK}},
    {"requestedBy": {"containsIgnoreCase": MARK.upper()}},
    {"type": {"in": ["ours", MARK]}},
    {"search": MARK},
    {"search": THEIR_IDS[0][:30]},
    {"runSeconds": {"gte": 0}},
    {"requestedBy": {"notIn": ["ours"]}},
]
# With these no job is deleted: some must be left.
OTHER_FILTERS: list[Any] = [
    {"worker": {"eq": MARK}},
    {"parentId": OUR_IDS[0]},
    {"parentId": THEIR_IDS[0]},
    {"tags": ["shared"]},
    {"tags": ["shared", MARK]},
    {"batch": {"eq": "shared"}},
    {"batch": {"startsWith": MARK}},
    {"health": ["UNKNOWN", "LATE"]},
    {"externalId": {"startsWith": MARK}},
    {"externalId": {"eq": "ours 4"}},
    *({"source": each} for each in SOURCE_IDS),
    *({"errorGroup": each} for each in GROUP_IDS),
]
EVENT_FILTERS: list[Any] = [
    None,
    {"jobIds": THEIR_IDS[:3]},
    {"detailContains": {"by": MARK}},
    *({"job": each} for each in FILTERS if each),
]
PAGES: list[dict[str, Any]] = [
    {},
    {"first": 2},
    {"last": 2},
    *({"first": 2, "after": cursor} for cursor in (*OUR_CURSORS, *THEIR_CURSORS)),
    *({"last": 9, "before": cursor} for cursor in (*OUR_CURSORS, *THEIR_CURSORS)),
]
RANGE = {"from": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z", "bucket": "MINUTE"}
DIMENSIONS = [
    *(
        "STATUS",
        "TYPE",
        "QUEUE",
        "REQUESTED_BY",
        "LAST_ERROR_CODE",
        "PRIORITY",
        "ERROR_GROUP",
        "WORKER",
        "BATCH",
        "SOURCE",
        "HEALTH",
    ),
]
FACT = {"ts": "2026-06-01T00:00:00Z", "status": "RUNNING", "isExact": False}
QUERIES: dict[str, list[dict[str, Any]]] = {
    "node": [{"id": each} for each in NODE_IDS],
    "nodes": [{"ids": NODE_IDS}, {"ids": THEIR_IDS[:5]}],
    "job": [{"id": each} for each in (*JOB_IDS, "x")],
    "jobs": [
        *({"filter": each} for each in (*FILTERS, *OTHER_FILTERS)),
        *PAGES,
        *(
            {"orderBy": {"field": field, "direction": direction}, **page}
            for field in ("UPDATED_AT", "FINISHED_AT", "PRIORITY", "SCHEDULED_AT", "STARTED_AT")
            for direction in ("ASC", "DESC")
            for page in ({}, {"first": 1}, *PAGES[-3:])
        ),
    ],
    "jobEvents": [*({"filter": each} for each in EVENT_FILTERS), *PAGES],
    "statusCounts": [{"filter": each} for each in (*FILTERS, *OTHER_FILTERS)] + [{"atMost": 2}],
    "jobGroups": [
        {"by": DIMENSIONS},
        *({"by": ["TYPE"], "filter": each} for each in (*FILTERS, *OTHER_FILTERS)),
    ],
    "timelineBy": [RANGE | {"by": by} for by in DIMENSIONS],
    "timeline": [RANGE | {"filter": each} for each in FILTERS],
    "suggest": [
        {"field": field, "prefix": prefix}
        for prefix in ("", MARK, "o")
        for field in ("TYPE", "QUEUE", "REQUESTED_BY", "LAST_ERROR_CODE", "WORKER", "BATCH")
    ],
    "errorGroups": [
        *({"filter": each} for each in FILTERS),
        *({"orderBy": order, "first": 1} for order in ("LAST_SEEN", "FIRST_SEEN", "COUNT")),
        {"since": "2026-01-01T00:00:00Z"},
    ],
    "queues": [{"minutes": minutes} for minutes in (1, 15, 60)],
    "workers": [{"minutes": minutes} for minutes in (1, 15, 60)],
    "sources": [{}],
    "viewer": [{}],
    "server": [{}],
}
MUTATIONS: list[tuple[str, dict[str, Any]]] = [
    # Keys that both have, that they alone have, and that nobody has.
    *(("createJob", {"input": {"type": "t", "idempotencyKey": key}}) for key in ("key0", "key8", "k")),
    ("createJob", {"input": {"type": "t", "idempotencyKey": "k"}}),
    ("createJob", {"input": {"type": ""}}),
    *(
        ("createJob", {"input": {"type": "t", "parentId": each, "batch": "shared", "tags": ["new"]}})
        for each in (*JOB_IDS, "x")
    ),
    *(("createJobs", {"input": [{"type": "t", "parentId": each}]}) for each in JOB_IDS),
    ("createJobs", {"input": [{"type": "t", "idempotencyKey": "key7"}]}),
    ("createJobs", {"input": [{"type": "t", "idempotencyKey": "key7"}]}),
    ("createJobs", {"input": [{"type": "t", "idempotencyKey": "key1"}]}),
    ("createJobs", {"input": [{"type": "t"}, {"type": "t", "priority": 1, "queue": ""}]}),
    *(
        ("transitionJob", {"input": {"id": each, "to": to}})
        for each in (OUR_IDS[3], *JOB_IDS)
        for to in ("RUNNING", "SUCCEEDED")
    ),
    ("transitionJob", {"input": {"id": THEIR_IDS[0], "to": "FAILED", "detail": 1}}),
    ("transitionJob", {"input": {"id": THEIR_IDS[3], "to": "RUNNING", "worker": "w"}}),
    *(
        ("transitionJobs", {"input": [{"id": each, "to": to} for each in (OUR_IDS[2], *JOB_IDS, "x")]})
        for to in ("CANCELED", "RUNNING", "FAILED")
    ),
    *(("recordJobEvent", {"input": {"id": each, "detail": {"a": 1}}}) for each in JOB_IDS),
    *(
        (name, {"id": each})
        for name in ("cancelJob", "rescheduleJob")
        for each in (OUR_IDS[OF_SOURCE], THEIR_IDS[OF_SOURCE])
    ),
    ("recordJobEvent", {"input": {"id": OUR_IDS[OF_SOURCE], "detail": {}}}),
    # What both have, a job of theirs, and none.
    *(
        ("recordFacts", {"source": {"name": "shared", "kind": "k"}, "facts": [{"externalId": each, **FACT}]})
        for each in ("ours 4", f"{MARK} 4", "another", "")
    ),
    ("recordJobEvent", {"input": {"id": THEIR_IDS[0], "detail": 1}}),
    *(
        ("recordJobEvent", {"input": {"id": each, "progress": {"fraction": 0.5, "step": "s"}}})
        for each in JOB_IDS
    ),
    *(
        (name, {"id": each})
        for name in ("cancelJob", "rescheduleJob", "retryJob", "rescheduleJob", "rerunJob")
        for each in (*JOB_IDS, "x")
    ),
    *(
        (name, {"filter": each, "limit": 2, "dryRun": True, "asOf": "2026-01-01T00:00:02Z"})
        for name in ("cancelJobs", "retryJobs")
        for each in FILTERS
        if each is not None
    ),
    *(
        (name, {"filter": each, "limit": limit})
        for limit in (2, 1000)
        for name in ("cancelJobs", "retryJobs")
        for each in FILTERS
        if each is not None
    ),
    *(
        ("deleteJobs", {"filter": each, "limit": limit, "dryRun": dry_run})
        for limit, dry_run in ((1, True), (1, False), (1000, True))
        for each in FILTERS
        if each is not None
    ),
    ("deleteJobs", {"filter": {"ids": list(THEIR_IDS)}}),
]  # fmt: skip


@pytest.fixture(scope="module")
async def urls(cluster_url: str, template: str) -> AsyncIterator[tuple[str, str]]:
    """Two databases: with our jobs alone, and with theirs too."""
    names = [await create_database(cluster_url, template) for _ in range(2)]
    alone, shared = (database_in(cluster_url, name) for name in names)
    await insert(alone, OURS, OUR_EVENTS)
    await insert(shared, [*OURS, *THEIRS], [*OUR_EVENTS, *THEIR_EVENTS])
    for url, named in ((alone, {ORG: "ours"}), (shared, {ORG: "ours", OTHER_ORG: MARK})):
        connection = await asyncpg.connect(url)
        rows = [(UUID(id_), name) for id_, name in named.items()]
        await connection.executemany("INSERT INTO org (org_id, name) VALUES ($1, $2)", rows)
        await connection.executemany(
            SOURCE, [(id_, source_of(str(id_)), name) for id_, name in rows]
        )
        await connection.executemany(USUAL, [(id_, len(name)) for id_, name in rows])
        await connection.close()
    yield alone, shared
    for name in names:
        await drop_database(cluster_url, name)


SOURCE = """INSERT INTO source
    (org_id, id, name, kind, lag_seconds, last_seen_at, last_error, backlog_bytes)
VALUES ($1, $2, 'shared', $3, 1.5, '2026-01-01Z', $3, 7)"""
# Another one for each organisation.
USUAL = """INSERT INTO type_usual
VALUES ($1, 'shared', now(), $2::bigint, $2::bigint, $2::bigint, $2::bigint, $2::bigint, $2::bigint, '1 s', '1 s', '1 s', '1 s')"""


@pytest.fixture(scope="module")
async def both(urls: tuple[str, str]) -> AsyncIterator[tuple[Asking, Asking]]:
    async with asking(urls[0]) as alone, asking(urls[1]) as shared:
        yield alone.at(NOW), shared.at(NOW)


async def answers(
    both: tuple[Asking, Asking], query: str, variables: dict[str, Any]
) -> tuple[Any, int]:
    """Ask both databases; the answers and numbers of statements must be alike. Get them."""
    told = []
    for asked in both:
        with asked.recorded() as statements:
            body = orjson.dumps(await asked.body(query, variables))
        assert b'"data":' in body
        new: dict[bytes, bytes] = {}
        plain = CURSORS.sub(_unmarked, body)
        numbered = UUIDS.sub(lambda id_, new=new: _numbered(id_[0], new), plain)  # type: ignore[misc]
        told.append((numbered, len(statements)))
    assert told[0] == told[1], (query, variables)
    return orjson.loads(told[0][0]), told[0][1]


def _unmarked(cursor: re.Match[bytes]) -> bytes:
    """Take the mark from an event's cursor: the transactions of the whole server are counted there."""
    packed = cursor[2]
    parts = orjson.loads(urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)))
    return cursor[1] + orjson.dumps([part for part in parts if not isinstance(part, list)])


def _numbered(id_: bytes, new: dict[bytes, bytes]) -> bytes:
    """Give ids that were made just now the names of their turn."""
    return id_ if id_ in KNOWN else new.setdefault(id_, b"new %d" % len(new))


async def theirs(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    rows: list[Any] = [
        await connection.fetch(
            f"SELECT * FROM {table} WHERE org_id = $1 ORDER BY 1, 2, 3", OTHER_ORG
        )
        for table in ("job", "job_event")
    ]
    await connection.close()
    return rows


@pytest.mark.parametrize("role", first(1, [ADMIN, VIEWER]))
@pytest.mark.parametrize("name", QUERIES)
async def test_no_query_tells_of_others(both: tuple[Asking, Asking], name: str, role: Any) -> None:
    asked = both[0].as_(role), both[1].as_(role)
    found = 0
    for given in QUERIES[name]:
        query = operation(core_schema, "query", name, given)
        body, _ = await answers(asked, query, given)
        found += bool(body.get("data"))
    assert found


async def test_every_field_was_asked_for(both: tuple[Asking, Asking]) -> None:
    """The walk reaches each field of each type, with a value, by queries and mutations."""
    assert core_schema.query_type is not None
    assert set(QUERIES) == set(core_schema.query_type.fields)
    seen: set[str] = set()
    for name, calls in QUERIES.items():
        for given in calls[:6]:
            body, _ = await answers(both, operation(core_schema, "query", name, given), given)
            seen |= set(reached(list((body.get("data") or {}).values())))
    then = both[0].at(WHILE_STARTING), both[1].at(WHILE_STARTING)
    for name in AT_ONCE:
        body, _ = await answers(then, operation(core_schema, "query", name, {}), {})
        seen |= set(reached(list((body.get("data") or {}).values())))
    for number, (name, given) in enumerate(MUTATIONS):
        later = NOW + timedelta(minutes=number)
        asked = both[0].at(later), both[1].at(later)
        body, _ = await answers(asked, operation(core_schema, "mutation", name, given), given)
        seen |= set(reached(list((body.get("data") or {}).values())))
    assert all_fields(core_schema) - seen == set()


async def test_no_mutation_tells_of_others_or_changes_theirs(
    both: tuple[Asking, Asking], urls: tuple[str, str]
) -> None:
    assert core_schema.mutation_type is not None
    assert {name for name, _ in MUTATIONS} == set(core_schema.mutation_type.fields)
    before = await theirs(urls[1])
    for number, (name, given) in enumerate(MUTATIONS):
        later = NOW + timedelta(days=1, minutes=number)
        role = ADMIN if name == "deleteJobs" else OPERATOR
        asked = both[0].as_(role).at(later), both[1].as_(role).at(later)
        await answers(asked, operation(core_schema, "mutation", name, given), given)
    assert len(before[0]) == len(THEIRS)
    assert await theirs(urls[1]) == before


@pytest.mark.parametrize(
    ("name", "of_theirs", "of_nobody"),
    [
        ("job", {"id": THEIR_IDS[0]}, {"id": UNKNOWN}),
        ("node", {"id": THEIR_IDS[0]}, {"id": UNKNOWN}),
        ("node", {"id": THEIR_IDS[-1]}, {"id": f"{UNKNOWN}:1"}),
        ("node", {"id": f"batch:{MARK}"}, {"id": "batch:nobody's"}),
        ("nodes", {"ids": [THEIR_IDS[0], THEIR_IDS[-1]]}, {"ids": [UNKNOWN, f"{UNKNOWN}:1"]}),
    ],
)
async def test_what_is_theirs_is_looked_up_as_what_is_nobodys(
    both: tuple[Asking, Asking], name: str, of_theirs: Any, of_nobody: Any
) -> None:
    """The same statements, too: there is nothing to be measured."""
    _, shared = both
    told = []
    for given in (of_theirs, of_nobody):
        with shared.recorded() as statements:
            body = await shared.body(operation(core_schema, "query", name, given), given)
        told.append((body, statements))
    assert told[0] == told[1]
    assert told[0][1]


@pytest.mark.parametrize(
    "name",
    [
        "transitionJob",
        "transitionJobs",
        "recordJobEvent",
        "cancelJob",
        "retryJob",
        "rerunJob",
        "rescheduleJob",
    ],
)
async def test_a_write_to_theirs_is_one_to_nobodys(both: tuple[Asking, Asking], name: str) -> None:
    _, shared = both
    told = []
    for id_ in (THEIR_IDS[0], UNKNOWN):
        inputs = {"transitionJob": {"to": "QUEUED"}, "recordJobEvent": {"detail": {}}}
        given: dict[str, Any] = {"id": id_}
        if name in inputs:
            given = {"input": {"id": id_, **inputs[name]}}
        if name == "transitionJobs":
            given = {"input": [{"id": id_, "to": "QUEUED"}, {"id": id_, "to": "RUNNING"}]}
        with shared.recorded() as statements:
            body = await shared.body(operation(core_schema, "mutation", name, given), given)
        told.append((orjson.dumps(body).replace(id_.encode(), b""), statements))
    assert told[0] == told[1]
    assert b"JobNotFound" in told[0][0]


async def told(responses: SubscriptionResponses) -> list[Any]:
    """Get what is told next, at least one response's data."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        together = await anext(responses)
    assert not any(response.errors for response in together)
    return [orjson.loads(dumps(response.body()))["data"] for response in together]


SUBSCRIPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("jobEvents", {}),
    ("jobEvents", {"filter": {"jobIds": [OUR_IDS[1], THEIR_IDS[1]]}}),
    ("jobEvents", {"filter": {"job": {"ids": [OUR_IDS[1], THEIR_IDS[1]]}}}),
    ("job", {"id": OUR_IDS[1]}),
    ("statusCounts", {"everySeconds": 0.2}),
    ("statusCounts", {"everySeconds": 0.2, "filter": {"ids": [OUR_IDS[1], THEIR_IDS[1]]}}),
]


@pytest.mark.parametrize(("name", "given"), SUBSCRIPTIONS)
async def test_no_subscription_tells_of_others(
    both: tuple[Asking, Asking], name: str, given: dict[str, Any]
) -> None:
    _, shared = both
    ours, others = Asking(shared.state), shared.as_(ADMIN, org=OTHER_ORG)
    await _move(ours, OUR_IDS[1], "QUEUED")
    await _move(others, THEIR_IDS[1], "QUEUED")
    watched = await ours.subscribe(operation(core_schema, "subscription", name, given), given)
    assert isinstance(watched, SubscriptionResponses)
    heard = [] if name == "jobEvents" else await told(watched)
    await _move(others, THEIR_IDS[1], "RUNNING")
    await _move(ours, OUR_IDS[1], "RUNNING")
    heard += await told(watched)
    await watched.aclose()
    assert MARK.encode() not in orjson.dumps(heard)
    assert not any(id_.encode() in orjson.dumps(heard) for id_ in THEIR_IDS)
    if name == "statusCounts":
        assert _running(heard[1]) - _running(heard[0]) == 1
    else:
        assert OUR_IDS[1].encode() in orjson.dumps(heard[-1])


def test_every_subscription_is_walked() -> None:
    assert core_schema.subscription_type is not None
    walked = {name for name, _ in SUBSCRIPTIONS} | {"errorGroupSeen"}
    assert walked == set(core_schema.subscription_type.fields)


async def test_an_error_that_is_new_to_them_is_told_to_them(both: tuple[Asking, Asking]) -> None:
    """And one that they had may be new to us."""
    _, shared = both
    ours, others = Asking(shared.state), shared.as_(ADMIN, org=OTHER_ORG)
    query = operation(core_schema, "subscription", "errorGroupSeen", {})
    watched = await ours.subscribe(query, {})
    assert isinstance(watched, SubscriptionResponses)
    await _fail(others, THEIR_IDS[1], MARK)
    await _fail(others, THEIR_IDS[1], "NEW_TO_ALL")
    await _fail(ours, OUR_IDS[1], "NEW_TO_ALL")
    (heard,) = await told(watched)
    await watched.aclose()
    group = heard["errorGroupSeen"]["node"]
    assert (group["code"], group["types"], group["count"]["value"]) == (
        "NEW_TO_ALL",
        ["ours.type"],
        1,
    )
    assert group["sample"]["id"] == OUR_IDS[1]
    assert MARK.encode() not in orjson.dumps(heard)
    assert not any(id_.encode() in orjson.dumps(heard) for id_ in THEIR_IDS)


async def _fail(asked: Asking, id_: str, code: str) -> None:
    await _move(asked, id_, "QUEUED")
    await _move(asked, id_, "RUNNING")
    query = """mutation ($i: TransitionJobInput!) { transitionJob(input: $i) { __typename } }"""
    data = await asked.data(query, {"i": {"id": id_, "to": "FAILED", "errorCode": code}})
    assert data["transitionJob"]["__typename"] == "JobPayload"


def _running(data: Any) -> int:
    ((count,),) = [
        [each["count"]["value"] for each in data["statusCounts"] if each["status"] == "RUNNING"]
    ]
    return int(count)


async def _move(asked: Asking, id_: str, to: str) -> None:
    """Bring the job there, whatever its status."""
    query = """mutation ($id: ID!, $to: JobStatus!) {
      cancelJob(id: $id) { __typename }
      retryJob(id: $id) { __typename }
      transitionJob(input: {id: $id, to: $to}) { __typename }
    }"""
    if to == "QUEUED":
        query = query.replace(
            "transitionJob(input: {id: $id, to: $to})", "again: retryJob(id: $id)"
        )
        query = query.replace(", $to: JobStatus!", "")
        await asked.data(query, {"id": id_})
        return
    data = await asked.data(query, {"id": id_, "to": to})
    assert data["transitionJob"]["__typename"] == "JobPayload"


async def test_watching_theirs_is_watching_nobodys(both: tuple[Asking, Asking]) -> None:
    _, shared = both
    refusals = []
    for id_ in (THEIR_IDS[0], UNKNOWN):
        refused = await shared.subscribe(
            "subscription ($id: ID!) { job(id: $id) { id } }", {"id": id_}
        )
        assert isinstance(refused, Response)
        refusals.append(refused.errors)
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("number", [0, 3, 7])
async def test_a_cursor_of_theirs_is_a_place_and_no_more(
    both: tuple[Asking, Asking], number: int
) -> None:
    """Who resumes there is told of our own events since."""
    watched = await both[1].subscribe(
        "subscription ($after: String) { jobEvents(after: $after) { node { id detail } } }",
        {"after": encode(EVENTS_NEWEST_FIRST, SimpleNamespace(**THEIR_EVENTS[number]))},
    )
    assert isinstance(watched, SubscriptionResponses)
    heard: list[Any] = []
    while len(heard) < 3:
        heard += await told(watched)
    # What comes after these, other tests did.
    for event in (each["jobEvents"]["node"] for each in heard[:3]):
        assert event["id"] in OUR_IDS
        assert event["detail"]["by"] == "ours"
    await watched.aclose()
