"""Deletes jobs that no policy keeps, the oldest first, one small transaction at a time.

It can be interrupted at any point, and starts again at the oldest job: nothing is remembered.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.commands.deletion import delete_jobs
from db.connections import Pooler
from db.criteria import JobCriteria, TextCriteria, TimeCriteria
from db.engine import EngineOptions, Scope, create_engine
from db.queries.jobs import JobRow, list_jobs
from db.queries.keyset import JOB_ORDERS, JobOrderField, KeyValue, Window
from db.request_session import RequestSession
from db.retention.policies import Policy, latest_end, policy_of
from db.retention.store import list_orgs_with_policies, load_policies
from db.statuses import JobStatus
from db.tables import tally_state_table

APPLICATION_NAME = "joblens prune"
BATCH_SIZE = 500
# How many jobs a transaction looks at, while it finds fewer to delete than its batch.
MOST_READ = 5_000
STATEMENT_TIMEOUT_SECONDS = 60.0
LONGEST_ENDED_FIRST = JOB_ORDERS[JobOrderField.FINISHED_AT, False]
_COLUMNS = frozenset({"status", "type"})
_NO_ORG = UUID(int=0)

# Until the end of the transaction, one process alone prunes.
_TAKE_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('joblens prune', 0))")

Position = tuple[KeyValue, ...]


class Outcome(Enum):
    """What one transaction did.

    BUSY: another process prunes. TALLYING: the first sums of the organisation are being made, which
    the events of deleted jobs would be missing from.
    """

    DONE = "done"
    MORE = "more"
    BUSY = "busy"
    TALLYING = "tallying"


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one transaction, and the number of jobs deleted by each policy.

    `after`: where the next one continues.
    """

    outcome: Outcome
    counts: Mapping[Policy, int] = field(default_factory=dict)
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """The jobs to delete by policy, and where the search ended."""

    rows: Mapping[Policy, Sequence[JobRow]]
    after: Position | None
    has_more: bool

    @property
    def counts(self) -> Counter[Policy]:
        return Counter({policy: len(rows) for policy, rows in self.rows.items()})


def create_prune_engine(url: str) -> AsyncEngine:
    """Create an engine of one connection."""
    options = EngineOptions(
        pool_size=1,
        pool_overflow=0,
        command_timeout_seconds=STATEMENT_TIMEOUT_SECONDS + 5,
        application_name=APPLICATION_NAME,
        # Its statements are too rare to be worth preparing.
        pooler=Pooler.TRANSACTION,
    )
    return create_engine(url, options)


async def list_prunable_orgs(engine: AsyncEngine) -> Sequence[UUID]:
    """List the organisations that have policies."""
    scope = Scope(_NO_ORG, STATEMENT_TIMEOUT_SECONDS)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        return await list_orgs_with_policies(begun)


async def prune_once(
    engine: AsyncEngine,
    org_id: UUID,
    now: datetime,
    after: Position | None = None,
    *,
    batch_size: int = BATCH_SIZE,
) -> Step:
    """Delete the first jobs after a position that no policy keeps, in one transaction.

    Jobs that are locked, or have changed since they were found, are passed over.
    """
    scope = Scope(org_id, STATEMENT_TIMEOUT_SECONDS, read_only=False)
    async with RequestSession(engine, scope) as session:
        async with session.use() as begun:
            step = await _delete(begun, org_id, now, after, batch_size)
        await session.commit()
    return step


async def count_prunable(
    engine: AsyncEngine, org_id: UUID, now: datetime, after: Position | None = None
) -> Step:
    """Count, instead, some of the jobs that would be deleted; it changes nothing."""
    scope = Scope(org_id, STATEMENT_TIMEOUT_SECONDS)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        found = await _find(begun, org_id, now, after, MOST_READ)
    outcome = Outcome.MORE if found.has_more else Outcome.DONE
    return Step(outcome, found.counts, found.after)


async def _delete(
    session: AsyncSession, org_id: UUID, now: datetime, after: Position | None, batch_size: int
) -> Step:
    if not (await session.execute(_TAKE_TURN)).scalar_one():
        return Step(Outcome.BUSY, after=after)
    if await _is_tallying(session, org_id):
        return Step(Outcome.TALLYING, after=after)
    found = await _find(session, org_id, now, after, batch_size)
    ids = [row.id for rows in found.rows.values() for row in rows]
    # The same once their rows are locked: a job may have been retried meanwhile.
    criteria = JobCriteria(or_=[_still(policy, rows, now) for policy, rows in found.rows.items()])
    deleted = frozenset(await delete_jobs(session, org_id, ids, criteria, skip_locked=True))
    outcome = Outcome.MORE if found.has_more else Outcome.DONE
    return Step(outcome, _count(found, deleted), found.after)


async def _find(
    session: AsyncSession, org_id: UUID, now: datetime, after: Position | None, batch_size: int
) -> _Found:
    """Find up to `batch_size` jobs to delete, among the next MOST_READ that ended before others."""
    policies = await load_policies(session, org_id)
    end = latest_end(policies, now)
    found: dict[Policy, list[JobRow]] = defaultdict(list)
    count = 0
    for _ in range(0, MOST_READ if end is not None else 0, batch_size):
        window = Window(LONGEST_ENDED_FIRST, batch_size, after)
        rows = await list_jobs(session, org_id, None, window, _COLUMNS)
        for row in rows:
            if row.finished_at is None or row.finished_at >= end:
                return _Found(found, after, has_more=False)
            after = LONGEST_ENDED_FIRST.key(row)
            policy = policy_of(policies, row.status, row.type)
            if policy is not None and row.finished_at < now - policy.keep:
                found[policy].append(row)
                count += 1
            if count == batch_size:
                return _Found(found, after, has_more=True)
        if len(rows) < batch_size:
            return _Found(found, after, has_more=False)
    return _Found(found, after, has_more=end is not None)


def _still(policy: Policy, rows: Sequence[JobRow], now: datetime) -> JobCriteria:
    """Match jobs that the policy still does not keep. Their statuses and types are those found."""
    pairs: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        pairs[row.status].add(row.type)
    return JobCriteria(
        finished_at=TimeCriteria(lt=now - policy.keep),
        or_=[
            JobCriteria(status=[JobStatus(status)], type=TextCriteria(in_=sorted(types)))
            for status, types in pairs.items()
        ],
    )


def _count(found: _Found, deleted: Collection[UUID]) -> Counter[Policy]:
    return Counter(
        policy for policy, rows in found.rows.items() for row in rows if row.id in deleted
    )


async def _is_tallying(session: AsyncSession, org_id: UUID) -> bool:
    tally_state = tally_state_table.c
    statement = select(tally_state.summed_until.is_not(None)).where(tally_state.org_id == org_id)
    return bool((await session.execute(statement)).scalar_one_or_none())
