"""Compiled plans give the responses of graphql-core's own executor."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any

import pytest
from graphql import ExecutionResult
from graphql.execution.executor import Executor as CoreExecutor

from resolvers import durations
from schema.execution import run
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving


@pytest.fixture(scope="module")
async def core_service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, executor="core") as running:
        yield running


UNKNOWN = "00000000-0000-7000-8000-00000000ffff"
PROGRESS = {
    "progress_fraction": 0.25,
    "progress_step": "step at x://u:secret@h",
    "progress_at": datetime(2026, 1, 1, tzinfo=UTC),
}
JOBS = [
    job(
        n,
        status=status,
        payload={"n": n} if n % 2 else None,
        **(PROGRESS if n % 3 else {}),
    )
    for n, status in enumerate(["queued", "running", "failed", "succeeded"] * 3)
]


class Ordinary(CoreExecutor[Any]):
    """graphql-core's executor, with the variables as Strawberry expects them; it counts nothing."""

    returned = 0

    @property
    def context(self) -> Any:
        return self.context_value

    def root_fields(self) -> list[Any]:
        return []

    async def execute(self) -> ExecutionResult:
        result = self.execute_operation()
        executed = await result if isawaitable(result) else result
        assert isinstance(executed, ExecutionResult)
        return executed

    def build_resolve_info(self, *args: Any) -> Any:
        info = super().build_resolve_info(*args)
        return info._replace(variable_values=self.variable_values.coerced)


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    steps = [step for row in JOBS for step in events(row, "queued", row["status"])]
    await insert(database_url, JOBS, steps)


QUERIES = [
    "{ jobs { nodes { __typename id type isTerminal waitSeconds payload lastErrorCode } } }",
    "{ jobs { edges { cursor node { t: type type } } pageInfo { hasNextPage endCursor } count { value isExact } } }",
    "{ jobs { nodes { ...A ... on Job { queue worker } ... on Node { id } } } workers { name running { value } lastSeenAt } } fragment A on Job { attempts { number outcome runSeconds errorCode worker } }",
    "{ jobs { nodes { a: events(first: 1) { nodes { id job { id } } } b: events(last: 1) { edges { node { detail ts } } } latestEvent { nextStatus } } } }",
    '{ jobs { nodes { id at(time: "2026-01-01T00:02:05Z") { __typename status attempt since } x: at(time: "2026-01-01T00:02:05Z") { s: status } never: at(time: "2020-01-01T00:00:00Z") { status } } } }',
    f'{{ job(id: "{JOBS[2]["id"]}") {{ at(time: "2126-01-01T00:00:00Z") {{ ...M }} wrong: at(time: "2026") {{ status }} }} }} fragment M on JobMoment {{ since attempt }}',
    "{ jobs { nodes { waiting { __typename why: reasons dueAt ahead(atMost: 1) { value isExact } running { value } } } } }",
    f'{{ job(id: "{JOBS[4]["id"]}") {{ waiting {{ ...W }} }} wrong: job(id: "{JOBS[0]["id"]}") {{ waiting {{ ahead(atMost: -1) {{ value }} }} }} }} fragment W on JobWaiting {{ startsPerMinute eta lastStartInQueue a: ahead(atMost: null) {{ value }} }}',
    "{ queues { __typename name due { value isExact } scheduled { value } running { value } oldestDueAt started succeeded failed drainEta wait { count p50 } run { count } } short: queues(minutes: 1) { q: name } wrong: queues(minutes: 0) { name } }",
    "{ jobs { nodes { progress { __typename fraction step told: at } updatedAt } } }",
    "query ($s: Boolean = true) { jobs { nodes { id @skip(if: $s) type @include(if: $s) runSeconds } } }",
    f'{{ nodes(ids: ["{JOBS[0]["id"]}", "{JOBS[0]["id"]}:1", "x", "{UNKNOWN}"]) {{ __typename id ... on Job {{ type }} ... on JobEvent {{ attempt job {{ type }} }} }} }}',
    f'{{ job(id: "{UNKNOWN}") {{ id }} bad: job(id: "x") {{ id }} node(id: "{JOBS[1]["id"]}") {{ id }} }}',
    "{ jobs { nodes { id events(first: -1) { nodes { id } } } } viewer { subject } }",
    "{ jobs(first: 1, last: 1) { nodes { id } } statusCounts { status count { value } } }",
    "{ statusCounts(atMost: 1) { status count { value isExact } } jobGroups(by: [STATUS]) { key { status type } count oldestCreatedAt wait { count } statusCounts { count { value } } } }",
    '{ timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-01T01:00:00Z", bucket: FIVE_MINUTES) { start created started failed } }',
    '{ __schema { types { name fields { name args { name defaultValue } } } } __type(name: "Job") { name } viewer { orgId roles expiresAt orgName } server { version pageSizeMax maxCost } }',
]


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "with a broken field"])
@pytest.mark.parametrize("query", QUERIES)
async def test_both_executors_answer_alike(
    service: Service,
    core_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    broken: bool,
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError

    # Durations until now differ from one request to the next.
    fixed = fail if broken else lambda *_args: 1.5
    for name in ("wait_seconds", "run_seconds"):
        monkeypatch.setattr(durations, name, fixed)
    monkeypatch.setattr("resolvers.attempts.elapsed_seconds", fixed)
    compiled = (await service.post(query)).json()
    monkeypatch.setattr(run, "Executor", Ordinary)
    ordinary = (await core_service.post(query)).json()
    assert str(compiled.get("data")) == str(ordinary.get("data"))
    assert sorted(map(str, compiled.get("errors", []))) == sorted(
        map(str, ordinary.get("errors", []))
    )
