"""Random commands as clients send them, and the ledger that they change, read by SQL."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from hypothesis import strategies as st

from tests.properties.lifecycle import STATUSES, Change, Row
from tests.properties.predicates import Filter
from tests.support.service import Service

Command = tuple[str, int, Change]

JOB = """{ id status attempt maxAttempts startedAt finishedAt scheduledAt updatedAt result
    lastErrorCode lastErrorMessage latestEvent { id prevStatus nextStatus attempt detail } }"""
OUTCOME = f"""{{ __typename
    ... on JobPayload {{ job {JOB} }}
    ... on JobNotFound {{ id }}
    ... on IllegalTransition {{ current requested allowed job {JOB} }}
    ... on InvalidInput {{ field }} }}"""
CREATED = f"""__typename
    ... on IdempotencyConflict {{ existing {JOB} }}
    ... on InvalidInput {{ field }}"""
CREATE = f"""mutation ($input: CreateJobInput!) {{ it: createJob(input: $input) {{
    ... on CreateJobPayload {{ created job {JOB} }} {CREATED} }} }}"""
CREATE_MANY = f"""mutation ($input: [CreateJobInput!]!) {{ it: createJobs(input: $input) {{
    ... on CreateJobsPayload {{ created known: existing jobs {JOB} }} {CREATED} }} }}"""
MOVE = f"mutation ($input: TransitionJobInput!) {{ it: transitionJob(input: $input) {OUTCOME} }}"
MOVE_MANY = f"""mutation ($input: [TransitionJobInput!]!) {{
    it: transitionJobs(input: $input) {{
        ... on TransitionJobsPayload {{ changed refused results {OUTCOME} }} }} }}"""
OPERATE = f"mutation ($id: ID!, $why: String) {{ it: %s(id: $id, reason: $why) {OUTCOME} }}"
RERUN = f"""mutation ($id: ID!, $payload: JSON, $queue: String, $priority: Int, $why: String) {{
    it: rerunJob(id: $id, payload: $payload, queue: $queue, priority: $priority, reason: $why) {{
        __typename ... on CreateJobPayload {{ created job {JOB} }}
        ... on JobNotFound {{ id }} ... on InvalidInput {{ field }} }} }}"""
RESCHEDULE = f"""mutation ($id: ID!, $at: DateTime, $priority: Int, $why: String) {{
    it: rescheduleJob(id: $id, at: $at, priority: $priority, reason: $why) {OUTCOME} }}"""
RECORD = """mutation ($input: RecordJobEventInput!) { it: recordJobEvent(input: $input) { __typename
    ... on JobEventPayload { event { id prevStatus nextStatus attempt detail } }
    ... on JobNotFound { id } ... on InvalidInput { field } } }"""
BULK = f"""mutation (
    $filter: JobFilter!, $limit: Int!, $why: String, $dry: Boolean! = false, $asOf: DateTime
) {{ it: %s(filter: $filter, limit: $limit, reason: $why, dryRun: $dry, asOf: $asOf) {{
        matched {{ value isExact }} changed skipped skips {{ reason status count }}
        samples {{ id status }} jobs {JOB} }} }}"""
DELETE = """mutation (
    $filter: JobFilter!, $limit: Int!, $dry: Boolean! = false, $asOf: DateTime
) { it: deleteJobs(filter: $filter, limit: $limit, dryRun: $dry, asOf: $asOf) {
        matched { value isExact } deleted skipped skips { reason status count } samples { id } } }"""
TIMES = ("started_at", "finished_at", "scheduled_at", "updated_at")
OPERATIONS = {"cancelJob": "canceled", "retryJob": "queued"}

specs = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["a", "b"]),
        "queue": st.just("default"),
        "priority": st.sampled_from([0, 0, 7]),
        "max_attempts": st.integers(1, 3),
        "backoff_policy": st.sampled_from(["none", "fixed", "exponential"]),
        "idempotency_key": st.sampled_from([None, "k", "l"]),
        "requested_by": st.sampled_from([None, "me"]),
        "payload": st.sampled_from([None, {"a": 1}, [True]]),
        "batch": st.sampled_from([None, "b"]),
        "tags": st.sampled_from([None, None, ["x"], ["x", "y"]]),
        "scheduled_at": st.none() | st.just(datetime(2030, 1, 1, tzinfo=UTC)),
    }
)
details = st.dictionaries(st.sampled_from(["k", "by"]), st.sampled_from([1, "x"]), max_size=1)
changes = st.builds(
    Change,
    # Most commands of real writers are legal; so should many of these be.
    to=st.sampled_from([*STATUSES, "running", "running", "failed", "failed", "queued"]),
    from_=st.none() | st.none() | st.sampled_from(STATUSES),
    error_code=st.sampled_from([None, "E1", "E2"]),
    error_message=st.sampled_from([None, "no", "", "half \ud83d, nul \0", "x" * 10_001]),
    result=st.sampled_from([None, {"ok": True}, 0]),
    detail=details,
)
filters: st.SearchStrategy[Filter] = st.sampled_from(
    [
        {},
        {"status": ["FAILED"]},
        {"status": ["QUEUED", "RUNNING", "CANCELED"]},
        {"type": {"eq": "a"}, "attempt": {"gte": 1}},
        {"not": {"lastErrorCode": {"eq": "E1"}}},
        {"or": [{"startedAt": {"isNull": False}}, {"payloadContains": {"a": 1}}]},
    ]
)
broken = st.sampled_from(
    [
        ({"result": {"\0": 1}}, "result"),
        ({"result": "half \ud83d", "errorMessage": "half \ud83d"}, "result"),
        ({"result": [2**64]}, "result"),
        ({"detail": {"error": "\0", "error_message": "\0"}}, "detail"),
        ({"detail": []}, "detail"),
        ({"detail": 0}, "detail"),
        ({"detail": "x"}, "detail"),
    ]
)
commands: st.SearchStrategy[Command] = st.tuples(
    st.sampled_from(["one", "one", "one", "batch", "many", "record"]),
    st.integers(0, 2),
    changes | st.sampled_from(["canceled", "queued"]).map(lambda to: Change(to, by_operator=True)),
)
copies = st.fixed_dictionaries(
    {},
    optional={
        "payload": st.sampled_from([None, {"b": 2}, 0]),
        "queue": st.sampled_from([None, "other", ""]),
        "priority": st.sampled_from([None, 0, 3]),
    },
)
schedules = st.fixed_dictionaries(
    {},
    optional={
        "at": st.sampled_from([None, "2020-01-01T00:00:00+00:00", "2040-01-01T00:00:00+00:00"]),
        "priority": st.sampled_from([None, 0, 7]),
    },
)
reasons = st.sampled_from([None, "why"])
# Past the jobs that there are: a job that there is not.
places = st.integers(0, 5)


def create_input(spec: Row) -> Row:
    """Write a spec as CreateJobInput."""
    given = {**spec, "backoff_policy": spec["backoff_policy"].upper()}
    if spec["scheduled_at"] is not None:
        given["scheduled_at"] = spec["scheduled_at"].isoformat()
    return {_camel(name): value for name, value in given.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def check_answer(job: Row, row: Row, events: list[Row]) -> None:
    """Compare a job in an answer with the tables."""
    last = events[-1]
    times = {
        _camel(name): job[_camel(name)] and datetime.fromisoformat(job[_camel(name)])
        for name in TIMES
    }
    assert job | times == {
        "id": str(row["id"]),
        "status": row["status"].upper(),
        "attempt": row["attempt"],
        "maxAttempts": row["max_attempts"],
        **{_camel(name): row[name] for name in TIMES},
        "result": row["result"],
        "lastErrorCode": row["last_error_code"],
        "lastErrorMessage": row["last_error_message"],
        "latestEvent": {
            "id": f"{row['id']}:{last['seq']}",
            "prevStatus": last["prev_status"] and last["prev_status"].upper(),
            "nextStatus": last["next_status"].upper(),
            "attempt": last["attempt"],
            "detail": last["detail"],
        },
    }


class Ledger:
    """One organisation of a running Joblens: commands go in by its API, rows come by SQL."""

    def __init__(self, service: Service, tables: asyncpg.Connection) -> None:
        self._service = service
        self._tables = tables
        self.org = uuid4()

    async def ask(self, query: str, org: str | None = None, **variables: Any) -> Any:
        data = await self._service.query(query, variables, Joblens_Org=org or str(self.org))
        return data["it"]

    async def read(self) -> tuple[dict[str, Row], dict[str, list[Row]]]:
        """Get all jobs by their id, and the events of each, by their number."""
        jobs = await self._tables.fetch("SELECT * FROM job WHERE org_id = $1", self.org)
        rows = {str(row["id"]): dict(row) for row in jobs}
        events: dict[str, list[Row]] = {job_id: [] for job_id in rows}
        for row in await self._tables.fetch(
            "SELECT * FROM job_event WHERE org_id = $1 ORDER BY seq", self.org
        ):
            events[str(row["job_id"])].append(dict(row))
        return rows, events
