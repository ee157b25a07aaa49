"""Sums of events, against plain Python, over random histories, deletions, crashes and late commits."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.deletion import delete_job
from db.criteria import JobCriteria, TextCriteria
from db.engine import EngineOptions, Scope, create_engine
from db.error_groups.fingerprints import Fingerprint, fingerprint_of
from db.queries.aggregates import count_jobs_by_status, group_jobs
from db.queries.dimensions import JobDimension
from db.queries.distributions import Distribution
from db.queries.error_groups import list_error_groups, load_error_trends, read_new_errors
from db.queries.jobs import count_jobs
from db.queries.tallies import open_tallies
from db.queries.timelines import count_changes, count_changes_by, count_jobs_by_status_at
from db.request_session import RequestSession
from db.session_scope import session_scope
from db.statuses import JobStatus
from db.tallies.durations import Kind
from db.tallies.error_jobs import recount
from db.tallies.keys import OTHERS
from db.tallies.spans import Span
from db.tallies.summing import Outcome, forget, sum_once
from tests.support.effort import examples
from tests.support.ledger import EPOCH

MAX_KEYS, SLICE_EVENTS = 4, 3
NEXT = {"queued": "running", "running": "failed", "failed": "queued"}
EDGES = [EPOCH + timedelta(hours=hours) for hours in (0, 1, 2, 26, 50, 200)]
# Not at full hours, and not all at full minutes, where sums alone do not do.
ODD_EDGES = [EPOCH + timedelta(minutes=minutes) for minutes in (-5, 7, 61.5, 3_000, 20_000)]
# Where sums of minutes may be all that is needed.
MINUTES = [EPOCH + timedelta(minutes=minutes) for minutes in (3, 4, 20, 95, 170)]
# All of them, where every key has sketches.
DAYS = [EPOCH + timedelta(days=days) for days in (0, 1, 3, 10)]
INSERT_JOB = """
INSERT INTO job (org_id, id, type, queue, status, attempt, event_seq, created_at, updated_at, batch,
    source_id, external_id)
VALUES ($1, $2, $3, $4, 'queued', 1, 1, $5, $5, CASE WHEN $4 <> 'q0' THEN 'of ' || $4 END,
    CASE WHEN $4 = 'q1' THEN lpad(to_hex(ascii($3)), 32, '0')::uuid END,
    CASE WHEN $4 = 'q1' THEN 'x' END)
"""
INSERT_EVENT = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, detail)
VALUES ($1, $2, $3, $4, $5, $6, 1, CASE WHEN $6 = 'failed' AND $5 = 'running' THEN
    jsonb_build_object('error_code', $7::text, 'error_message', format('after %s s', $3::integer)) END)
"""
UPDATE = """
UPDATE job SET status = $3, event_seq = event_seq + 1,
    finished_at = CASE WHEN $3 = 'failed' THEN now() END,
    last_error_code = CASE WHEN $3 = 'failed' THEN $4 ELSE last_error_code END,
    error_group = CASE WHEN $3 = 'failed' THEN $5 ELSE error_group END
WHERE org_id = $1 AND id = $2
"""
# Of the jobs that are counted by their errors, and their counts.
DIFFERENCES = """
SELECT key_id, error_code, error_group, status, sum(jobs) FROM (
    SELECT key_id, error_code, error_group, status, jobs FROM error_job_tally WHERE org_id = $1
    UNION ALL
    SELECT key_id, error_code, error_group, status, -1 FROM error_job WHERE org_id = $1
) AS counted GROUP BY 1, 2, 3, 4 HAVING sum(jobs) <> 0
"""
REWORD = text("""
UPDATE job SET last_error_code = :code, error_group = :error_group
WHERE org_id = :org_id AND id = :id
""")
REWORD_NAMES = "org_id", "id", "code", "error_group"
OldSpan = IntEnum("OldSpan", {each.name: each.value for each in Span if each is not Span.MINUTE})
OLD_SUM_UP = text("UPDATE tally_state SET seen = pg_current_snapshot() WHERE org_id = :org_id")
CRITERIA = [
    None,
    JobCriteria(type=TextCriteria(eq="a")),
    JobCriteria(queue=TextCriteria(in_=["q1", "q2"])),
    JobCriteria(type=TextCriteria(starts_with="b"), not_=JobCriteria(queue=TextCriteria(eq="q0"))),
    JobCriteria(status=[JobStatus.FAILED, JobStatus.QUEUED], type=TextCriteria(in_=["a", "c"])),
]

pairs = st.tuples(st.sampled_from("abc"), st.sampled_from(["q0", "q1", "q2"]))
# In any order: imported, late, or by a clock that is wrong.
times = st.one_of(st.integers(0, 360), st.integers(0, 18_000)).map(
    lambda halves: EPOCH + timedelta(minutes=halves / 2)
)
numbers = st.integers(0, 7)
creations = st.tuples(st.just("create"), pairs, times)
moves = st.tuples(st.just("move"), numbers, times)
late_moves = st.tuples(st.just("move_late"), numbers, times)
sums = st.just(("sum",))
# Most of them move jobs, some by a transaction that is open for longer, and most of these are summed.
commands = st.one_of(
    *(creations, moves, moves, moves, late_moves, late_moves, sums, sums, sums),
    st.just(("commit_late",)),
    st.just(("sum_all",)),
    st.tuples(st.just("note"), numbers, times),
    st.tuples(st.just("delete"), numbers),
    st.just(("sum_twice",)),
    st.tuples(st.just("wait"), st.integers(1, 200)),
    st.just(("sum_as_before",)),
    st.tuples(st.just("reword"), numbers, st.sampled_from([None, "G"])),
    st.just(("forget",)),
    st.tuples(st.just("crash"), st.integers(1, 9)),
)
histories = st.builds(
    lambda first, rest: [*first, ("sum_all",), *rest],
    st.lists(st.one_of(creations, moves), min_size=2, max_size=8),
    st.lists(commands, min_size=4, max_size=20),
)


def error_of(code: str) -> Fingerprint:
    found = fingerprint_of(code, "after 3 s")
    assert found is not None
    return found


@dataclass
class Life:
    """A job as plain Python knows it. `steps`: time, previous status, next status.

    `last_error`: what its last error has in common with others.
    """

    id: UUID
    type: str
    queue: str
    steps: list[tuple[datetime, str | None, str]]
    seq: int = 1
    deleted: bool = False
    last_error: Fingerprint | None = None

    @property
    def status(self) -> str:
        return self.steps[-1][2]

    @property
    def batch(self) -> str | None:
        return None if self.queue == "q0" else f"of {self.queue}"

    def error(self, number: int) -> Fingerprint:
        """Get its error of this number; each second one is the same."""
        return error_of(f"{'EF'[number % 2]}_{self.type}")

    @property
    def next_error(self) -> Fingerprint:
        return self.error(sum(to == "failed" for _, _, to in self.steps))

    def add(self, step: tuple[datetime, str, str]) -> None:
        if step[2] == "failed":
            self.last_error = self.next_error
        self.steps.append(step)

    @property
    def failures(self) -> Iterator[tuple[datetime, Fingerprint]]:
        times = (ts for ts, _, to in self.steps if to == "failed")
        yield from ((ts, self.error(number)) for number, ts in enumerate(times))

    @property
    def last_error_code(self) -> str | None:
        return self.last_error.code if self.last_error else None

    @property
    def error_group(self) -> UUID | None:
        return self.last_error.id if self.last_error else None

    @property
    def source_id(self) -> UUID | None:
        return UUID(int=ord(self.type)) if self.queue == "q1" else None

    @property
    def health(self) -> str:
        """Of a type of which nothing is known."""
        return "unknown" if self.status in {"queued", "running"} else "ok"


@dataclass
class Ledger:
    """An organisation: its jobs, and a transaction that is still open.

    `now`: until it is later than most events, there are sums of minutes.
    """

    engine: AsyncEngine
    owner: Any
    late: Any
    org_id: UUID = field(default_factory=uuid4)
    jobs: list[Life] = field(default_factory=list)
    waiting: tuple[Life, tuple[datetime, str, str]] | None = None
    # Whether a job was deleted whose changes are not all summed.
    forgot: bool = False
    now: datetime = EPOCH

    async def run(self, command: Sequence[Any]) -> None:
        name, *given = command
        await getattr(self, name)(*given)

    def at(self, number: int) -> Life | None:
        """Pick a job that no open transaction has locked."""
        free = [
            j for j in self.jobs if not j.deleted and (not self.waiting or j is not self.waiting[0])
        ]
        return free[number % len(free)] if free else None

    async def create(self, pair: tuple[str, str], ts: datetime) -> None:
        life = Life(uuid4(), *pair, [(ts, None, "queued")])
        async with self.owner.transaction():
            await self.owner.execute(INSERT_JOB, self.org_id, life.id, *pair, ts)
            await self.owner.execute(
                INSERT_EVENT, self.org_id, life.id, 1, ts, None, "queued", None
            )
        self.jobs.append(life)

    async def move(self, number: int, ts: datetime) -> None:
        if (life := self.at(number)) is not None:
            async with self.owner.transaction():
                step = await self._write(self.owner, life, ts)
            life.add(step)

    async def note(self, number: int, ts: datetime) -> None:
        """Append an event that changes no status."""
        if (life := self.at(number)) is not None:
            life.seq += 1
            given = self.org_id, life.id, life.seq, ts, life.status, life.status, None
            await self.owner.execute(INSERT_EVENT, *given)

    async def reword(self, number: int, code: str | None) -> None:
        """Give a job another error, or none, without an event."""
        if (life := self.at(number)) is not None:
            error = None if code is None else error_of(code)
            given = self.org_id, life.id, code, error and error.id
            async with session_scope(self.org_id, engine=self.engine) as session:
                await session.execute(REWORD, dict(zip(REWORD_NAMES, given, strict=True)))
                await recount(session, self.org_id, [life.id])
            life.last_error = error

    async def move_late(self, number: int, ts: datetime) -> None:
        life = self.at(number)
        if life is None or self.waiting is not None:
            return
        await self.late.execute("BEGIN")
        self.waiting = life, await self._write(self.late, life, ts)

    async def commit_late(self) -> None:
        if self.waiting is not None:
            (life, step), self.waiting = self.waiting, None
            await self.late.execute("COMMIT")
            life.add(step)

    async def _write(self, connection: Any, life: Life, ts: datetime) -> tuple[datetime, str, str]:
        step = ts, life.status, NEXT[life.status]
        life.seq += 1
        given = self.org_id, life.id
        error = life.next_error
        await connection.execute(UPDATE, *given, step[2], error.code, error.id)
        await connection.execute(INSERT_EVENT, *given, life.seq, *step, error.code)
        return step

    async def delete(self, number: int) -> None:
        if (life := self.at(number)) is not None:
            is_summed = await self.is_summed()
            async with session_scope(self.org_id, engine=self.engine) as session:
                assert await delete_job(session, self.org_id, life.id)
            life.deleted = True
            self.forgot |= not is_summed

    async def is_summed(self) -> bool:
        async with RequestSession(self.engine, self.scope) as session, session.use() as begun:
            return await open_tallies(begun, self.org_id, None) is not None

    async def sum(self) -> Outcome:
        limits = {"max_keys": MAX_KEYS, "slice_events": SLICE_EVENTS}
        return (await sum_once(self.engine, self.org_id, **limits, now=self.now)).outcome

    async def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    async def sum_as_before(self) -> None:
        """Sum as a process of a version does that has no sums of minutes and of errors."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("db.tallies.summing.Span", OldSpan)
            patch.setattr("db.tallies.summing._keep_minutes", keep_none)
            patch.setattr("db.tallies.error_jobs.count_changed", keep_none)
            patch.setattr("db.tallies.error_jobs.count_all", keep_none)
            patch.setattr("db.tallies.statements.SUM_UP", OLD_SUM_UP)
            await self.sum()

    async def sum_twice(self) -> None:
        await asyncio.gather(self.sum(), self.sum())

    async def sum_all(self) -> None:
        while await self.sum() is not Outcome.DONE:
            pass
        assert await self.is_summed()

    async def forget(self) -> None:
        await forget(self.engine, self.org_id)
        self.forgot |= any(life.deleted for life in self.jobs)

    async def crash(self, number: int) -> None:
        with failing(self.engine, number), suppress(Crash):
            await self.sum()

    @property
    def scope(self) -> Scope:
        return Scope(self.org_id, 60)


async def keep_none(*_given: Any) -> None:
    """Keep no sums of these."""


class Crash(BaseException):
    """What ends a process between two statements."""


@contextmanager
def failing(engine: AsyncEngine, number: int) -> Iterator[None]:
    """Let the statement with this number fail."""
    count = 0

    def crash(*_given: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Crash

    event.listen(engine.sync_engine, "before_cursor_execute", crash)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", crash)


@pytest.fixture(scope="module")
async def connections(database_url: str) -> AsyncIterator[tuple[AsyncEngine, Any, Any]]:
    engine = create_engine(database_url, EngineOptions(pool_size=3))
    owner, late = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    yield engine, owner, late
    await owner.close()
    await late.close()
    await engine.dispose()


def meets(life: Life, criteria: JobCriteria | None) -> bool:
    """Tell whether a job meets one of CRITERIA, apart from its status."""
    return [
        True,
        life.type == "a",
        life.queue in {"q1", "q2"},
        life.type.startswith("b") and life.queue != "q0",
        life.type in {"a", "c"},
    ][CRITERIA.index(criteria)]


def there(ledger: Ledger, criteria: JobCriteria | None) -> list[Life]:
    """Get the jobs that meet one of CRITERIA now."""
    statuses = list(JobStatus if criteria is None else criteria.status or JobStatus)
    present = [life for life in ledger.jobs if not life.deleted and life.status in statuses]
    return [life for life in present if meets(life, criteria)]


def steps(ledger: Ledger, criteria: JobCriteria | None) -> list[tuple[Life, Any]]:
    return [(life, step) for life in ledger.jobs if meets(life, criteria) for step in life.steps]


def known(life: Life) -> Iterator[tuple[str | None, str]]:
    """Get the changes that end something of which it is known how long it took."""
    for (began, *_), (ended, prev, to) in pairwise(life.steps):
        if life.source_id is None or began < ended:
            yield prev, to


@examples(150)
@given(history=histories, criteria=st.sampled_from(CRITERIA))
async def test_sums_are_exact(
    connections: Any, history: list[Any], criteria: JobCriteria | None
) -> None:
    ledger = Ledger(*connections)
    try:
        for command in history:
            await ledger.run(command)
        await check(ledger, criteria)
        await ledger.commit_late()
        await ledger.sum_all()
        await check(ledger, criteria)
    finally:
        if ledger.waiting is not None:
            await ledger.late.execute("ROLLBACK")


async def check(ledger: Ledger, criteria: JobCriteria | None) -> None:
    async with RequestSession(ledger.engine, ledger.scope) as session, session.use() as begun:
        for each in (None, criteria):
            await check_present(begun, ledger, each)
            if not ledger.forgot:
                await check_past(begun, ledger, each)
        for each in (None, criteria):
            await check_groups(begun, ledger, each)
    assert await ledger.owner.fetch(DIFFERENCES, ledger.org_id) == []


async def check_present(session: Any, ledger: Ledger, criteria: JobCriteria | None) -> None:
    counts = await count_jobs_by_status(session, ledger.org_id, criteria, None)
    expected = Counter(life.status for life in there(ledger, criteria))
    assert {each.value: count for each, count in counts.items() if count} == expected
    assert await count_jobs(session, ledger.org_id, criteria, None) == expected.total()


async def check_past(session: Any, ledger: Ledger, criteria: JobCriteria | None) -> None:
    if criteria is not None and criteria.status is not None:
        return
    # Those of deleted jobs are there in sums alone, which are of full hours.
    is_intact = not any(life.deleted for life in ledger.jobs)
    has_sums = await open_tallies(session, ledger.org_id, criteria) is not None
    if not (is_intact or has_sums):
        return
    for edges in (EDGES, ODD_EDGES, MINUTES) if is_intact else (EDGES,):
        found = await count_changes(session, ledger.org_id, criteria, edges)
        for changes, start, until in zip(found, edges, edges[1:], strict=False):
            within = [s for _, s in steps(ledger, criteria) if start <= s[0] < until]
            assert changes.created == sum(prev is None for _, prev, _ in within)
            assert +changes.entered == Counter(JobStatus(to) for _, _, to in within)
            assert +changes.left == Counter(JobStatus(prev) for _, prev, _ in within if prev)
        until = edges[-2]
        counts = await count_jobs_by_status_at(session, ledger.org_id, criteria, until)
        before = [s for _, s in steps(ledger, criteria) if s[0] < until]
        left = Counter(to for _, _, to in before)
        left.subtract(prev for _, prev, _ in before if prev)
        assert {each.value: n for each, n in counts.items() if n} == {
            s: n for s, n in left.items() if n
        }
    if criteria is None:
        await check_errors(session, ledger)
    if is_intact:
        await check_series(session, ledger, criteria)
        await check_durations(session, ledger, criteria)


async def check_errors(session: Any, ledger: Ledger) -> None:
    expected: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    for life in ledger.jobs:
        for ts, error in life.failures:
            expected[error.id].append((ts, life.type))
    new = await read_new_errors(session, ledger.org_id)
    found = await list_error_groups(session, ledger.org_id, new, None)
    assert {each.id for each in found} == expected.keys()
    for each in found:
        of_group = expected[each.id]
        assert each.events == len(of_group)
        assert (each.first_seen_at, each.last_seen_at) == (min(of_group)[0], max(of_group)[0])
        assert each.types == sorted({type_ for _, type_ in of_group})
        assert each.message == "after <number> s"
    given = list(expected), DAYS, Span.DAY, new
    trends = await load_error_trends(session, ledger.org_id, *given)
    for group_id, of_group in expected.items():
        within = [sum(start <= ts < until for ts, _ in of_group) for start, until in pairwise(DAYS)]
        assert trends[group_id] == within


async def check_series(session: Any, ledger: Ledger, criteria: JobCriteria | None) -> None:
    by_type = Counter(life.type for life, step in steps(ledger, criteria) if in_odd(step[0]))
    of_types = criteria, ODD_EDGES, JobDimension.TYPE, 2
    found = await count_changes_by(session, ledger.org_id, *of_types, now=EPOCH)
    sizes = {value: sum(each.entered.total() for each in changes) for value, changes in found}
    assert sum(sizes.values()) == by_type.total()
    for value, size in sizes.items():
        # A type that has no sums of its own is among the others.
        if value not in {None, OTHERS} and OTHERS not in sizes and None not in sizes:
            assert size == by_type[value]


async def check_durations(session: Any, ledger: Ledger, criteria: JobCriteria | None) -> None:
    for edges in (EDGES, DAYS, MINUTES):
        given = session, ledger.org_id, criteria, edges
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("db.queries.distributions.EXACT_AT_MOST", -1)
            sketched = await count_changes(*given, with_durations=True)
            patch.setattr("db.queries.distributions._sketched_runs", lambda *_given: None)
            one_by_one = await count_changes(*given, with_durations=True)
        for estimated, exact in zip(sketched, one_by_one, strict=True):
            assert estimated.durations.keys() == exact.durations.keys()
            for kind, each in exact.durations.items():
                check_distribution(estimated.durations[kind], each)
        if edges == DAYS:
            changes = [
                change for life in ledger.jobs if meets(life, criteria) for change in known(life)
            ]
            waits = sum(change == ("queued", "running") for change in changes)
            runs = sum(prev == "running" for prev, _ in changes)
            counted = Counter[Kind]()
            for bucket in sketched:
                counted.update({kind: each.count for kind, each in bucket.durations.items()})
            assert (counted[Kind.WAIT], counted[Kind.RUN]) == (waits, runs)


def check_distribution(estimated: Distribution, exact: Distribution) -> None:
    assert exact.is_exact
    assert estimated.count == exact.count
    assert [estimated.avg, estimated.min, estimated.max] == pytest.approx(
        [exact.avg, exact.min, exact.max]
    )
    # Times are halves of minutes, or zero.
    assert estimated.percentiles == pytest.approx(exact.percentiles, rel=0.0101, abs=1e-6)


def in_odd(ts: datetime) -> bool:
    return ODD_EDGES[0] <= ts < ODD_EDGES[-1]


async def check_groups(session: Any, ledger: Ledger, criteria: JobCriteria | None) -> None:
    for by in (
        [JobDimension.STATUS],
        [JobDimension.TYPE, JobDimension.STATUS],
        [JobDimension.QUEUE],
        [JobDimension.LAST_ERROR_CODE],
        [JobDimension.LAST_ERROR_CODE, JobDimension.QUEUE],
        [JobDimension.ERROR_GROUP, JobDimension.STATUS, JobDimension.TYPE],
        [JobDimension.BATCH, JobDimension.STATUS],
        [JobDimension.SOURCE, JobDimension.TYPE],
        [JobDimension.HEALTH],
        [JobDimension.HEALTH, JobDimension.QUEUE, JobDimension.STATUS],
    ):
        wanted = {"with_times": False, "with_wait": False, "with_run": False}
        asked = session, ledger.org_id, criteria, by
        now = datetime.now(UTC)
        rows, with_statuses = [
            await group_jobs(*asked, limit=50, now=now, with_statuses=each, **wanted)
            for each in (False, True)
        ]
        jobs = there(ledger, criteria)
        expected = Counter(tuple(getattr(life, each.value) for each in by) for life in jobs)
        found = {tuple(getattr(row, each.value) for each in by): row.jobs for row in rows}
        assert sum(found.values()) == len(jobs)
        assert [row.jobs for row in rows] == sorted(found.values(), reverse=True)
        assert [row[: len(by) + 1] for row in with_statuses] == [tuple(row) for row in rows]
        if any(OTHERS in key for key in found):
            continue
        assert found == expected
        statuses = Counter(
            (*(getattr(life, each.value) for each in by), life.status) for life in jobs
        )
        assert statuses == {
            (*(getattr(row, each.value) for each in by), each.value): count
            for row in with_statuses
            for each in JobStatus
            if (count := getattr(row, f"{each.value}_count"))
        }
