"""How many SQL statements a query takes: its shape decides, never the number of rows."""

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import event

from tests.support.ledger import events, insert, job
from tests.support.service import ORG, Service

JOB = "id type status waitSeconds"
EVENT = "id ts nextStatus detail"


@dataclass(frozen=True)
class Shape:
    """A query with its number of statements; `$first` and `$after` are given to it."""

    statements: int
    text: str

    @property
    def query(self) -> str:
        used = [
            f"${n}: {t}"
            for n, t in (("first", "Int"), ("after", "String"), ("id", "ID!"))
            if f"${n}" in self.text
        ]
        return f"query ({', '.join(used)}) {{ {self.text} }}" if used else f"{{ {self.text} }}"


SHAPES = {
    "job": Shape(1, f"job(id: $id) {{ {JOB} payload }}"),
    "job with all": Shape(
        4,
        f"job(id: $id) {{ {JOB} events {{ nodes {{ {EVENT} }} }} latestEvent {{ id }} attempts {{ number }} }}",
    ),
    "several jobs": Shape(1, f"a: job(id: $id) {{ {JOB} }} b: job(id: $id) {{ {JOB} }}"),
    "jobs": Shape(
        1,
        f"jobs(first: $first) {{ nodes {{ {JOB} }} edges {{ cursor node {{ {JOB} }} }} pageInfo {{ hasNextPage startCursor endCursor }} }}",
    ),
    "jobs from the start, both flags": Shape(
        1, f"jobs(first: $first) {{ nodes {{ {JOB} }} pageInfo {{ hasNextPage hasPreviousPage }} }}"
    ),
    "jobs, the other direction's flag": Shape(
        2,
        f"jobs(first: $first, after: $after) {{ nodes {{ {JOB} }} pageInfo {{ hasNextPage hasPreviousPage }} }}",
    ),
    "jobs with count": Shape(3, f"jobs(first: $first) {{ nodes {{ {JOB} }} count {{ value }} }}"),
    "count alone": Shape(2, "jobs { count(atMost: 5) { value isExact } }"),
    "typename alone": Shape(0, "jobs { __typename pageInfo { __typename } }"),
    "jobs with events": Shape(
        2,
        f"jobs(first: $first) {{ nodes {{ {JOB} events {{ nodes {{ {EVENT} }} pageInfo {{ hasNextPage }} }} }} }}",
    ),
    "jobs with latestEvent": Shape(
        2, f"jobs(first: $first) {{ nodes {{ {JOB} latestEvent {{ {EVENT} }} }} }}"
    ),
    "jobs with attempts": Shape(
        2, f"jobs(first: $first) {{ nodes {{ {JOB} attempts {{ number runSeconds }} }} }}"
    ),
    "jobs with their last attempts": Shape(
        3,
        "jobs(first: $first) { nodes { worker a: attempts(last: 1) { errorCode worker } b: attempts { outcome } } }",
    ),
    "the viewer and the server": Shape(0, "viewer { subject expiresAt } server { version now }"),
    "the viewer's organisation": Shape(
        1, "viewer { orgName name: orgName } again: viewer { orgName }"
    ),
    "jobs at a time": Shape(
        2,
        'jobs(first: $first) { nodes { at(time: "2026-01-01T00:00:30Z") { status attempt since } } }',
    ),
    "jobs at two times": Shape(
        3,
        'jobs(first: $first) { nodes { a: at(time: "2026-01-01T00:00:30Z") { status } b: at(time: "2126-01-01T00:00:00Z") { status } c: at(time: "2026-01-01T00:00:30Z") { since } } }',
    ),
    "jobs with all of them": Shape(
        6,
        f"jobs(first: $first) {{ nodes {{ {JOB} events(first: 20) {{ nodes {{ {EVENT} }} }} latestEvent {{ {EVENT} }} attempts {{ number }} }} count {{ value }} }}",
    ),
    "jobs with progress": Shape(
        1, "jobs(first: $first) { nodes { progress { fraction step at } worker } }"
    ),
    "why jobs wait": Shape(
        6,
        "jobs(first: $first, filter: {status: [QUEUED]}) { nodes { waiting { reasons dueAt ahead { value } running { value } startsPerMinute eta lastStartInQueue } } }",
    ),
    "how many jobs go first": Shape(
        3,
        "jobs(first: $first, filter: {status: [QUEUED]}) { nodes { waiting { few: ahead(atMost: 3) { value } ahead { value isExact } more: ahead(atMost: 1000) { value } } } }",
    ),
    "why no job waits": Shape(
        1,
        "jobs(first: $first, filter: {status: [FAILED]}) { nodes { waiting { reasons ahead { value } running { value } eta } } }",
    ),
    "events and back": Shape(
        2,
        f"jobs(first: $first) {{ nodes {{ id events(first: 20) {{ nodes {{ id job {{ {JOB} payload }} }} }} }} }}",
    ),
    "events and back by edges": Shape(
        2,
        f"jobs(first: $first) {{ edges {{ node {{ id events(first: 20) {{ edges {{ node {{ job {{ {JOB} }} }} }} }} }} }} }}",
    ),
    "latest event and back": Shape(
        2, f"jobs(first: $first) {{ nodes {{ id latestEvent {{ job {{ {JOB} result }} }} }} }}"
    ),
    "event counts": Shape(
        2, "jobs(first: $first) { nodes { events { count(atMost: 2) { value } } } }"
    ),
    "events twice with other arguments": Shape(
        3,
        "jobs(first: $first) { nodes { a: events(first: 1) { nodes { id } } b: events(last: 1) { nodes { id } } } }",
    ),
    "events twice alike": Shape(
        2,
        "jobs(first: $first) { nodes { a: events(first: 1) { nodes { id } } b: events(first: 1) { nodes { id } } } }",
    ),
    "jobEvents": Shape(
        1, f"jobEvents(first: $first) {{ nodes {{ {EVENT} }} pageInfo {{ hasNextPage }} }}"
    ),
    "jobEvents and their jobs": Shape(
        2, f"jobEvents(first: $first) {{ nodes {{ {EVENT} job {{ {JOB} }} }} }}"
    ),
    "events, and jobs that are there already": Shape(
        5,
        "jobs(first: $first, orderBy: {direction: ASC}) { nodes { id payload } } jobEvents(first: $first) { nodes { job { payload latestEvent { id } attempts { number } } } }",
    ),
    # Counts ask first whether there are sums of these jobs.
    "statusCounts": Shape(2, "statusCounts { status count { value } }"),
    "statusCounts, bounded": Shape(2, "statusCounts(atMost: 3) { status count { value isExact } }"),
    "jobGroups": Shape(
        1, "jobGroups(by: [TYPE, STATUS]) { key { type status } count wait { p50 } run { p99 } }"
    ),
    "timelineBy": Shape(
        2,
        'timelineBy(by: PRIORITY, from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: HOUR, top: 2) { key { priority } isRest buckets { failed } }',
    ),
    "timeline": Shape(
        1,
        'timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: HOUR, filter: {status: [FAILED]}) { start failed }',
    ),
    "jobs of a payload": Shape(
        2, "jobs(first: $first, filter: {payloadContains: {n: 3}}) { nodes { id } }"
    ),
    "jobs of a payload, newest": Shape(
        2, "jobs(first: $first, filter: {payloadContains: {m: 3}}) { nodes { id } }"
    ),
    "jobs of a part of text": Shape(
        3,
        'jobs(first: $first, filter: {type: {contains: "e"}, queue: {startsWith: "d"}}) { nodes { id } }',
    ),
    "jobs of several values": Shape(
        3,
        'jobs(first: $first, filter: {type: {in: ["a", "b"]}, status: [FAILED, QUEUED]}) { nodes { id } count { value } }',
    ),
    "suggest": Shape(1, 'suggest(field: TYPE, prefix: "e") { value count { value } }'),
    # Counts by sums, else of those that run, and the queues that have queued jobs.
    "queues": Shape(
        5,
        "queues { name due { value } scheduled { value } running { value } oldestDueAt latencySeconds started drainEta }",
    ),
    "queues with durations": Shape(4, "queues(minutes: 60) { name wait { p95 } run { p95 } }"),
    "workers": Shape(1, "workers { name running { value isExact } lastSeenAt }"),
    "jobs and their health": Shape(
        2, "jobs(first: $first) { nodes { id health { verdict since p95Seconds sample } } }"
    ),
    "jobs of a health": Shape(
        2, "jobs(first: $first, filter: {health: [STUCK, LATE]}) { nodes { id } count { value } }"
    ),
    # The types, and what is usual for these.
    "jobs of an unknown health": Shape(
        4, "jobs(first: $first, filter: {health: UNKNOWN}) { nodes { id } count { value } }"
    ),
    "jobGroups by health and source": Shape(
        1, "jobGroups(by: [HEALTH, SOURCE]) { key { health source { name } } count }"
    ),
    "jobs of a tag, counted": Shape(
        3, 'jobs(first: $first, filter: {tags: ["t 3"]}) { nodes { id } count { value } }'
    ),
    "jobs and their parents": Shape(
        2, f"jobs(first: $first) {{ nodes {{ id tags parent {{ {JOB} payload }} }} }}"
    ),
    "jobs and their children": Shape(
        2,
        f"jobs(first: $first) {{ nodes {{ children(first: 2) {{ nodes {{ {JOB} }} pageInfo {{ hasNextPage }} }} }} }}",
    ),
    # Jobs with the tag are located, and their ids read.
    "jobs and their children in many ways": Shape(
        8,
        "jobs(first: $first) { nodes { a: children(first: 1) { nodes { id } } b: children(first: 1) { nodes { id } count { value } }"
        " c: children(first: 1, orderBy: {field: UPDATED_AT}) { count(atMost: 5) { value } nodes { id } }"
        ' d: children(first: 1, filter: {tags: ["t 1"]}) { nodes { id } } } }',
    ),
    "jobs and their batches": Shape(
        2,
        "jobs(first: $first) { nodes { batch { id name fraction firstCreatedAt lastFinishedAt statusCounts { count { value } } } } }",
    ),
    "jobs and the names of their batches": Shape(
        1, "jobs(first: $first) { nodes { tags batch { id name } } }"
    ),
    "jobs, their parents, children and batches": Shape(
        5,
        f"jobs(first: $first) {{ nodes {{ {JOB} parent {{ type result }} children(first: 2) {{ nodes {{ {JOB} }} }} batch {{ fraction jobs(first: 2) {{ nodes {{ id }} }} }} }} }}",
    ),
    "children behind a cursor": Shape(
        3,
        "jobs(first: $first) { nodes { children(first: 1, after: $after) { nodes { id } pageInfo { hasPreviousPage } } } }",
    ),
    "a batch": Shape(
        3, 'node(id: "batch:0") { ... on Batch { fraction jobs(first: 2) { nodes { id } } } }'
    ),
    "jobs of a tag": Shape(2, 'jobs(first: $first, filter: {tags: ["t 3"]}) { nodes { id } }'),
    "jobs of a parent": Shape(1, "jobs(first: $first, filter: {parentId: $id}) { nodes { id } }"),
    "jobs of a batch": Shape(1, 'jobs(first: $first, filter: {batch: {eq: "1"}}) { nodes { id } }'),
    "node": Shape(1, "node(id: $id) { id ... on Job { type } }"),
    "viewer": Shape(0, "viewer { orgId subject roles }"),
    "introspection": Shape(0, "__schema { types { name fields { name } } }"),
    "typename": Shape(0, "__typename"),
}


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    rows = [
        job(n, status="failed", payload={"n": n}, batch=str(n % 70), tags=[f"t {n}"])
        for n in range(250)
    ]
    for n, row in enumerate(rows[1:]):
        row["parent_id"] = rows[n // 2]["id"]
    steps = [step for row in rows for step in events(row, "queued", "running", "failed")]
    waiting = [job(-n, queue=f"queue{n % 7}") for n in range(1, 251)]
    await insert(database_url, [*rows, *waiting], steps)


@pytest.fixture(scope="module")
async def place(service: Service) -> dict[str, str]:
    """An id, and a cursor that leaves more than 200 jobs behind it."""
    data = await service.query("{ jobs(first: 5) { edges { cursor node { id } } } }")
    return {
        "after": data["jobs"]["edges"][4]["cursor"],
        "id": data["jobs"]["edges"][0]["node"]["id"],
    }


@pytest.mark.parametrize("rows", [1, 10, 200])
@pytest.mark.parametrize("name", SHAPES)
async def test_statements_depend_on_the_shape_alone(
    service: Service, place: dict[str, str], name: str, rows: int
) -> None:
    shape = SHAPES[name]
    with service.recorded() as statements:
        await service.query(shape.query, {"first": rows, **place})
    assert len(statements) == shape.statements, statements


async def test_a_request_without_data_takes_no_connection(service: Service) -> None:
    before = service.engine.pool.checkedin()  # type: ignore[attr-defined]
    taken: list[object] = []

    def on_checkout(*args: object) -> None:
        taken.append(args)

    event.listen(service.engine.sync_engine, "checkout", on_checkout)
    await service.query("{ __typename viewer { subject } __schema { queryType { name } } }")
    assert not taken
    await service.query("{ jobs(first: 1) { nodes { id } } }")
    event.remove(service.engine.sync_engine, "checkout", on_checkout)
    assert len(taken) == 1
    assert service.engine.pool.checkedin() >= before  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("selection", "read", "not_read"),
    [
        ("id", ["job.id"], ["payload", "result", "last_error_message", "queue", "status"]),
        ("payload", ["job.payload"], ["result"]),
        ("payload @skip(if: true) id", ["job.id"], ["payload"]),
        ("...F", ["job.result"], ["payload"]),
        ("... on Node { id } isTerminal", ["job.status"], ["payload"]),
        ("runSeconds", ["job.started_at", "job.finished_at"], ["payload", "scheduled_at"]),
        ("latestEvent { ts }", ["job_event.ts"], ["detail", "payload"]),
        ("events { edges { node { detail } } }", ["job_event.detail"], ["payload", "prev_status"]),
        ("attempts { errorCode }", ["error_code"], ["payload", "detail,"]),
        ("parent { type }", ["job.parent_id", "job.type"], ["payload", "job.tags", "job.batch"]),
        ("batch { name }", ["job.batch"], ["payload", "job.tags", "job.parent_id"]),
        ("children { nodes { queue } }", ["job.queue"], ["payload", "job.type", "job.status"]),
    ],
)
async def test_only_the_columns_asked_for_are_read(
    service: Service, selection: str, read: list[str], not_read: list[str]
) -> None:
    with service.recorded() as statements:
        await service.query(
            f"{{ jobs(first: 3) {{ nodes {{ {selection} }} }} }}"
            + (" fragment F on Job { result }" if "...F" in selection else "")
        )
    sql = " ".join(statements)
    selected = " ".join(statement.partition("FROM")[0] for statement in statements)
    assert all(column in sql for column in read), sql
    assert not any(column in selected for column in not_read), sql


async def test_every_statement_names_its_organisation(
    service: Service, place: dict[str, str]
) -> None:
    for shape in SHAPES.values():
        with service.recorded() as statements:
            await service.query(shape.query, {"first": 3, **place}, Joblens_Org=ORG)
        for statement in statements:
            tables = len(re.findall(r"(?:FROM|JOIN) job(?:_event)?\b(?!\.)", statement))
            # The function takes the organisation from the transaction, and is not used on Citus.
            least = 0 if re.search(r"joblens_rows_(containing|with_tags)", statement) else 1
            assert statement.count("org_id = $") >= max(least, tables), statement
