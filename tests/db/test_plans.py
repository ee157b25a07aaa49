"""Plans: pages, probes and bounded counts read what they return, however long the history is."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Table, Text, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.criteria import (
    Found,
    HealthCriteria,
    JobCriteria,
    JobEventCriteria,
    Locations,
    SearchCriteria,
    TextCriteria,
)
from db.effort import Effort
from db.engine import Scope, create_engine
from db.health import STATUSES, HealthVerdict
from db.queries import (
    aggregates,
    attempts,
    distribution_statements,
    due_jobs,
    error_groups,
    events,
    jobs,
    moments,
    queue_activity,
    queue_counts,
    queue_heads,
    queue_orders,
    relations,
    searches,
    timeline_statements,
    timelines,
    values,
    workers,
)
from db.queries.buckets import Buckets, Series
from db.queries.dimensions import JobDimension
from db.queries.filters import job_conditions
from db.queries.keyset import (
    EVENTS_NEWEST_FIRST,
    EVENTS_OF_JOB,
    JOB_ORDERS,
    JobOrderField,
    KeysetOrder,
    Window,
    page,
)
from db.queries.relations import Relation
from db.queries.rows import read
from db.queries.values import TextColumn
from db.request_session import RequestSession
from db.statuses import JobStatus
from db.tables import job_event_table, job_table, metadata
from db.tallies.spans import Run
from resolvers.efforts import effort_of_any
from tests.db import history
from tests.db.history import BUSY_PARENT, GROUPS, LARGEST, NEWEST, SMALLEST, SOURCE
from tests.db.plans import Plan, Query, explain
from tests.support.located import ids_at

LIMIT = 51  # a page of 50, and one row that tells whether there are more
AT_MOST = 100
INDEX_SCANS = {"Limit", "Result", "Index Scan", "Index Only Scan"}
JOB_COLUMNS = ["type", "status", "created_at", "payload"]


@dataclass(frozen=True)
class Listing:
    """A list that must be quick, and the index that serves it."""

    index: str
    field: JobOrderField
    criteria: JobCriteria | None = None


LISTINGS = [
    Listing("idx_job_org_created", JobOrderField.CREATED_AT),
    Listing("idx_job_org_updated", JobOrderField.UPDATED_AT),
    Listing("idx_job_org_finished", JobOrderField.FINISHED_AT),
    Listing("idx_job_org_priority", JobOrderField.PRIORITY),
    Listing("idx_job_org_scheduled", JobOrderField.SCHEDULED_AT),
    Listing("idx_job_org_started", JobOrderField.STARTED_AT),
    Listing("idx_job_org_status", JobOrderField.CREATED_AT, JobCriteria(status=[JobStatus.FAILED])),
    Listing(
        "idx_job_org_type",
        JobOrderField.CREATED_AT,
        JobCriteria(type=TextCriteria(eq="image.resize")),
    ),
    Listing(
        "idx_job_org_queue", JobOrderField.CREATED_AT, JobCriteria(queue=TextCriteria(eq="slow"))
    ),
    Listing(
        "idx_job_org_type_status",
        JobOrderField.CREATED_AT,
        JobCriteria(type=TextCriteria(eq="image.resize"), status=[JobStatus.FAILED]),
    ),
    Listing(
        "idx_job_org_requested_by",
        JobOrderField.CREATED_AT,
        JobCriteria(requested_by=TextCriteria(eq="user-7")),
    ),
    Listing(
        "idx_job_org_worker",
        JobOrderField.CREATED_AT,
        JobCriteria(worker=TextCriteria(eq="worker-7")),
    ),
    Listing(
        "idx_job_org_error_code",
        JobOrderField.CREATED_AT,
        JobCriteria(last_error_code=TextCriteria(eq="E1")),
    ),
    Listing("idx_job_org_parent", JobOrderField.CREATED_AT, JobCriteria(parent_id=BUSY_PARENT)),
    Listing(
        "idx_job_org_batch", JobOrderField.CREATED_AT, JobCriteria(batch=TextCriteria(eq="nightly"))
    ),
    Listing("idx_job_org_source", JobOrderField.CREATED_AT, JobCriteria(source_id=SOURCE)),
    Listing(
        "idx_job_org_external_id",
        JobOrderField.CREATED_AT,
        JobCriteria(external_id=TextCriteria(eq="job-7")),
    ),
    Listing(
        "idx_job_org_error_group",
        JobOrderField.CREATED_AT,
        JobCriteria(error_group=UUID(GROUPS[1:37])),
    ),
    Listing(
        "idx_job_org_queued_priority",
        JobOrderField.PRIORITY,
        JobCriteria(status=[JobStatus.QUEUED]),
    ),
]
EVENTS_INDEX, STATUS_INDEX = "idx_job_event_org_ts", "idx_job_event_org_status"

each_listing = pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.index)
each_organisation = pytest.mark.parametrize(
    "org_id", [LARGEST, NEWEST, SMALLEST], ids=["largest", "newest", "smallest"]
)
each_direction = pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])


@pytest.fixture(scope="module")
async def engine(large_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the history, as requests use it."""
    engine = create_engine(large_database_url)
    yield engine
    await engine.dispose()


# Of how many organisations the statistics know: those that there are, and many with few jobs.
each_number = pytest.mark.parametrize("organisations", [None, 5_000])


class Planner:
    """Plans statements for one organisation, and finds deep places in its lists."""

    def __init__(self, engine: AsyncEngine, url: str, org_id: UUID) -> None:
        self._engine = engine
        self._url = url
        self.org_id = org_id

    async def plans(
        self,
        query: Any,
        *arguments: Any,
        effort: Effort | None = None,
        organisations: int | None = None,
    ) -> list[Plan]:
        call: Query = lambda session: query(session, self.org_id, *arguments)  # noqa: E731
        effort = effort_of_any(arguments) if effort is None else effort
        given = {"effort": effort, "organisations": organisations}
        return await explain(self._engine, self._url, self.org_id, call, **given)

    async def rows(self, statement: Any) -> Sequence[Any]:
        scope = Scope(self.org_id, statement_timeout_seconds=60)
        async with RequestSession(self._engine, scope) as session, session.use() as begun:
            return (await begun.execute(statement)).all()

    async def middle(self, table: Table, order: KeysetOrder, condition: Any) -> tuple[Any, ...]:
        """Get the place of the row in the middle of a list."""
        ((total,),) = await self.rows(select(func.count()).select_from(table).where(condition))
        columns = [table.c[part.attribute] for part in order.columns]
        statement = page(select(*columns).where(condition), Window(order, 1))
        (row,) = await self.rows(statement.offset(total // 2))
        return tuple(row)


@pytest.fixture
def planner(engine: AsyncEngine, large_database_url: str, org_id: UUID) -> Planner:
    return Planner(engine, large_database_url, org_id)


def assert_index_scan(plan: Plan, index: str, rows: int) -> None:
    assert plan.kinds <= INDEX_SCANS, plan.root
    assert plan.indexes == {index}, plan.root
    assert sum(plan.rows_read) <= rows, plan.root
    # An index may also be read from end to end without finding rows: that shows in its blocks.
    assert plan.blocks <= 3 * rows + 20, plan.root


@each_organisation
@each_direction
@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@each_listing
async def test_a_page_of_jobs_is_a_stretch_of_its_index(
    planner: Planner, listing: Listing, descending: bool, deep: bool, backward: bool
) -> None:
    order = JOB_ORDERS[listing.field, descending]
    condition = job_conditions(planner.org_id, listing.criteria)
    place = await planner.middle(job_table, order, condition) if deep else None
    window = Window(order, LIMIT, place, backward)
    for plan in await planner.plans(jobs.list_jobs, listing.criteria, window, JOB_COLUMNS):
        assert_index_scan(plan, listing.index, LIMIT)


@each_organisation
@each_direction
@each_listing
async def test_what_lies_behind_a_page_of_jobs_is_found_beside_it(
    planner: Planner, listing: Listing, backward: bool
) -> None:
    order = JOB_ORDERS[listing.field, True]
    condition = job_conditions(planner.org_id, listing.criteria)
    place = await planner.middle(job_table, order, condition)
    window = Window(order, LIMIT, place, backward)
    for plan in await planner.plans(jobs.job_exists_behind, listing.criteria, window):
        assert_index_scan(plan, listing.index, 1)


@each_organisation
@pytest.mark.parametrize(
    "criteria",
    [
        JobCriteria(status=[JobStatus.SUCCEEDED]),
        JobCriteria(type=TextCriteria(eq="email.send")),
        JobCriteria(queue=TextCriteria(eq="default")),
    ],
    ids=["status", "type", "queue"],
)
async def test_what_most_jobs_are_is_listed_by_an_index_too(
    planner: Planner, criteria: JobCriteria
) -> None:
    order = JOB_ORDERS[JobOrderField.CREATED_AT, True]
    place = await planner.middle(job_table, order, job_conditions(planner.org_id, criteria))
    for after in (None, place):
        window = Window(order, LIMIT, after)
        for plan in await planner.plans(jobs.list_jobs, criteria, window, JOB_COLUMNS):
            assert plan.kinds <= INDEX_SCANS, plan.root
            assert sum(plan.rows_read) <= 5 * LIMIT, plan.root


@each_organisation
@each_direction
async def test_a_page_of_events_is_a_stretch_of_its_index(planner: Planner, backward: bool) -> None:
    condition = job_event_table.c.org_id == planner.org_id
    place = await planner.middle(job_event_table, EVENTS_NEWEST_FIRST, condition)
    for after in (None, place):
        window = Window(EVENTS_NEWEST_FIRST, LIMIT, after, backward)
        for plan in await planner.plans(events.list_events, None, window, ["next_status"]):
            assert_index_scan(plan, EVENTS_INDEX, LIMIT)
    window = Window(EVENTS_NEWEST_FIRST, LIMIT, place, backward)
    for plan in await planner.plans(events.event_exists_behind, None, window):
        assert_index_scan(plan, EVENTS_INDEX, 1)


@each_organisation
@each_direction
async def test_a_page_of_several_statuses_reads_a_page_of_each(
    planner: Planner, backward: bool
) -> None:
    statuses = [JobStatus.FAILED, JobStatus.QUEUED, JobStatus.CANCELED]
    criteria = JobCriteria(status=statuses)
    order = JOB_ORDERS[JobOrderField.CREATED_AT, True]
    place = await planner.middle(job_table, order, job_conditions(planner.org_id, criteria))
    for after in (None, place):
        window = Window(order, LIMIT, after, backward)
        for query in (
            partial(jobs.list_jobs, columns=JOB_COLUMNS),
            *([jobs.job_exists_behind] if after else []),
        ):
            for plan in await planner.plans(query, criteria, window):
                assert plan.indexes == {"idx_job_org_status"}, plan.root
                assert sum(plan.rows_read) <= len(statuses) * LIMIT, plan.root
    for plan in await planner.plans(jobs.count_jobs, criteria, AT_MOST):
        assert sum(plan.rows_read) <= len(statuses) * (AT_MOST + 1), plan.root


MESSAGE = {"last_error_message": TextCriteria(contains="such text is nowhere")}


@each_organisation
async def test_for_a_message_only_jobs_with_one_are_read(planner: Planner) -> None:
    failed = select(func.count()).where(
        job_table.c.org_id == planner.org_id, job_table.c.last_error_message.is_not(None)
    )
    ((expected,),) = await planner.rows(failed)
    window = Window(JOB_ORDERS[JobOrderField.CREATED_AT, True], LIMIT)
    for plan in await planner.plans(jobs.list_jobs, JobCriteria(**MESSAGE), window, JOB_COLUMNS):
        assert plan.indexes == {"idx_job_org_error_message"}, plan.root
        assert sum(plan.rows_read) == expected > 0, plan.root


@each_organisation
@pytest.mark.parametrize("order", [JobOrderField.CREATED_AT, JobOrderField.UPDATED_AT])
@pytest.mark.parametrize(
    "criteria",
    [
        JobCriteria(),
        JobCriteria(status=[JobStatus.FAILED, JobStatus.SUCCEEDED]),
        JobCriteria(type=TextCriteria(in_=["email.send", "audit.run"])),
    ],
)
async def test_only_located_jobs_are_read(
    planner: Planner, criteria: JobCriteria, order: JobOrderField
) -> None:
    number = 2_000
    some = select(literal_column("job.ctid").label("at")).select_from(job_table).limit(number)
    ((found,),) = await planner.rows(
        select(cast(func.array_agg(some.subquery("some").c.at), Text()))
    )
    located = replace(criteria, locations=Locations(found))
    window = Window(JOB_ORDERS[order, True], LIMIT)
    for query, *arguments in (
        (jobs.list_jobs, located, window, JOB_COLUMNS),
        (jobs.count_jobs, located, None),
    ):
        for plan in await planner.plans(query, *arguments):
            assert "Tid Scan" in plan.kinds, plan.root
            assert not plan.indexes, plan.root
            assert sum(plan.rows_read) == number, plan.root


@each_organisation
@pytest.mark.parametrize("name", TextColumn)
async def test_values_are_found_one_after_another(planner: Planner, name: TextColumn) -> None:
    column = job_table.c[name.value]
    ((distinct,),) = await planner.rows(
        select(func.count(column.distinct())).where(job_table.c.org_id == planner.org_id)
    )
    criteria = TextCriteria(contains="nowhere")
    for plan in await planner.plans(values.list_matching_values, name, criteria):
        assert "Seq Scan" not in plan.kinds, plan.root
        # From 18 on, PostgreSQL rounds the rows of a loop to hundredths.
        assert sum(plan.rows_read) <= 1.01 * distinct + plan.rounding, plan.root
        assert plan.blocks <= 20 * distinct + 20, plan.root


@each_organisation
@pytest.mark.parametrize("prefix", ["", "user", "E1"])
@pytest.mark.parametrize("name", TextColumn)
async def test_suggestions_count_up_to_their_bounds(
    planner: Planner, name: TextColumn, prefix: str
) -> None:
    most = values.NEWEST_JOBS + 2 * values.MOST_CANDIDATES * (values.MOST_JOBS + 2)
    for plan in await planner.plans(values.list_suggestions, name, prefix, 10):
        assert "Seq Scan" not in plan.kinds, plan.root
        assert sum(plan.rows_read) <= most, plan.root


# The jobs of the first values are many.
FOUND = Found(
    ids=[UUID(int=n) for n in range(30)],
    type=["image.resize", "user.sync"],
    requested_by=["user-7", "user-8"],
    last_error_code=["E1"],
)
VALUES = 5


@each_organisation
@each_direction
async def test_a_search_reads_a_page_of_each_value(planner: Planner, backward: bool) -> None:
    criteria = JobCriteria(search=SearchCriteria("e", found=FOUND))
    order = JOB_ORDERS[JobOrderField.CREATED_AT, True]
    place = await planner.middle(job_table, order, job_conditions(planner.org_id, criteria))
    for after in (None, place):
        window = Window(order, LIMIT, after, backward)
        for plan in await planner.plans(jobs.list_jobs, criteria, window, JOB_COLUMNS):
            assert "Seq Scan" not in plan.kinds, plan.root
            # Once by the values, once by the ids of these.
            assert sum(plan.rows_read) <= 2 * VALUES * LIMIT + plan.rounding, plan.root
    for plan in await planner.plans(jobs.count_jobs, criteria, AT_MOST):
        assert "Seq Scan" not in plan.kinds, plan.root
        assert sum(plan.rows_read) <= 2 * VALUES * (AT_MOST + 1) + plan.rounding, plan.root
    for plan in await planner.plans(aggregates.count_jobs_by_status, criteria, AT_MOST):
        assert "Seq Scan" not in plan.kinds, plan.root


@each_organisation
async def test_keys_and_ids_are_found_by_their_beginning(planner: Planner) -> None:
    first, last = UUID("00000000-0000-7000-8000-000000000000"), UUID(int=2**100)
    for plan in await planner.plans(
        searches.find_jobs_by_key_or_id, SearchCriteria("key-7", first, last)
    ):
        assert plan.indexes == {"uq_job_org_idempotency", "pk_job"}, plan.root


@each_organisation
@each_direction
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_a_page_of_events_of_rare_statuses_reads_a_page_of_each(
    planner: Planner, count: int, backward: bool
) -> None:
    rare = [JobStatus.DEAD_LETTER, JobStatus.FAILED, JobStatus.CANCELED][:count]
    criteria = JobEventCriteria(next_status=rare)
    window = Window(EVENTS_NEWEST_FIRST, LIMIT, None, backward)
    for plan in await planner.plans(events.list_events, criteria, window, ["next_status"]):
        assert plan.indexes == {STATUS_INDEX}, plan.root
        assert sum(plan.rows_read) <= count * LIMIT, plan.root
    for plan in await planner.plans(events.count_events, criteria, AT_MOST):
        assert plan.indexes == {STATUS_INDEX}, plan.root


NOBODY: list[dict[str, Any]] = [
    {"requested_by": TextCriteria(eq="nobody")},
    {"requested_by": TextCriteria(in_=["nobody", "no one"])},
    {"requested_by": TextCriteria(starts_with="nob")},
    {"worker": TextCriteria(eq="nobody")},
    {"worker": TextCriteria(starts_with="nob")},
    {"last_error_code": TextCriteria(eq="NONE")},
    {"last_error_code": TextCriteria(in_=["NONE", "NEVER"])},
    {"last_error_code": TextCriteria(starts_with="NON")},
    {"batch": TextCriteria(eq="none")},
    {"batch": TextCriteria(in_=["none", "no such"])},
    {"batch": TextCriteria(starts_with="nob")},
    {"batch": TextCriteria(eq="none"), "status": [JobStatus.FAILED, JobStatus.QUEUED]},
    {"parent_id": UUID(int=78)},
    {"parent_id": UUID(int=78), "status": [JobStatus.FAILED, JobStatus.QUEUED]},
    {"type": TextCriteria(eq="no.such"), "status": [JobStatus.FAILED, JobStatus.QUEUED]},
    {"type": TextCriteria(eq="audit.run"), "status": [JobStatus.DEAD_LETTER]},
]


@each_organisation
@pytest.mark.parametrize("conditions", NOBODY, ids=str)
async def test_that_there_are_none_is_found_in_an_index(
    planner: Planner, conditions: dict[str, Any]
) -> None:
    criteria = JobCriteria(**conditions)
    window = Window(JOB_ORDERS[JobOrderField.CREATED_AT, True], LIMIT)
    for query, arguments in (
        (jobs.list_jobs, (window, JOB_COLUMNS)),
        (jobs.count_jobs, (AT_MOST,)),
        (jobs.count_jobs, (None,)),
    ):
        for plan in await planner.plans(query, criteria, *arguments):
            assert "Seq Scan" not in plan.kinds, plan.root
            assert sum(plan.rows_read) <= 2 * LIMIT, plan.root
            assert plan.blocks <= 50, plan.root


@each_organisation
@each_direction
@pytest.mark.parametrize("after", [None, (1,), (2,)])
async def test_events_of_many_jobs_are_cut_out_of_the_primary_key(
    planner: Planner, after: tuple[int] | None, backward: bool
) -> None:
    ids = [row.id for row in await planner.rows(select(job_table.c.id).limit(200))]
    window = Window(EVENTS_OF_JOB, 1, after, backward)
    queries = [
        partial(events.load_events_by_job, job_ids=ids, window=window, columns=["detail"]),
        partial(events.count_events_by_job, job_ids=ids, at_most=0),
    ]
    if after is not None:
        queries.append(partial(events.job_has_events_behind, job_ids=ids, window=window))
    for query in queries:
        for plan in await planner.plans(query):
            (scan,) = [node for node in plan if "Relation Name" in node]
            assert scan["Index Name"] == "pk_job_event"
            assert "job_id = " in scan["Index Cond"]
            assert scan["Actual Loops"] == len(ids) == 200
            assert scan["Actual Rows"] <= 1


def related_scan(plan: Plan, index: str, keys: int) -> dict[str, Any]:
    """Get the scan of one key's jobs, which must be one range of the index."""
    (scan,) = [node for node in plan if "Relation Name" in node]
    assert scan["Index Name"] == index, plan.root
    assert f"{'parent_id' if 'parent' in index else 'batch'} = " in scan["Index Cond"]
    assert scan["Actual Loops"] == keys, plan.root
    return scan


PARENTS = select(job_table.c.parent_id).distinct().where(job_table.c.parent_id.is_not(None))


@each_organisation
@each_direction
async def test_children_of_many_jobs_are_cut_out_of_their_index(
    planner: Planner, backward: bool
) -> None:
    ours = PARENTS.where(job_table.c.org_id == planner.org_id, job_table.c.parent_id != BUSY_PARENT)
    parents = [BUSY_PARENT, *(row.parent_id for row in await planner.rows(ours.limit(199)))]
    order = JOB_ORDERS[JobOrderField.CREATED_AT, True]
    middle = await planner.middle(job_table, order, job_table.c.org_id == planner.org_id)
    for after in (None, middle):
        window = Window(order, 3, after, backward)
        of_all = {"relation": Relation.PARENT, "keys": parents, "criteria": None}
        for query in (
            partial(relations.load_related_jobs, **of_all, window=window, columns=JOB_COLUMNS),
            partial(relations.count_related_jobs, **of_all, at_most=2),
            *([partial(relations.find_keys_behind, **of_all, window=window)] if after else []),
        ):
            for plan in await planner.plans(query):
                scan = related_scan(plan, "idx_job_org_parent", len(parents))
                assert scan["Actual Rows"] <= 3
                # Counts may sort what they have counted.
                assert "Sort" not in plan.kinds or "Aggregate" in plan.kinds, plan.root
                assert plan.blocks <= 8 * len(parents), plan.root


@each_organisation
@pytest.mark.parametrize("field", [JobOrderField.UPDATED_AT, JobOrderField.FINISHED_AT])
@pytest.mark.parametrize("criteria", [None, JobCriteria(status=[JobStatus.SUCCEEDED])])
async def test_children_in_another_order_are_found_by_their_index(
    planner: Planner, field: JobOrderField, criteria: JobCriteria | None
) -> None:
    parents = [UUID(int=78), BUSY_PARENT, UUID(int=79)]
    order = JOB_ORDERS[field, True]
    middle = await planner.middle(job_table, order, job_table.c.org_id == planner.org_id)
    for after in (None, middle):
        window = Window(order, 3, after)
        of_all = {"relation": Relation.PARENT, "keys": parents, "criteria": criteria}
        for query in (
            partial(relations.load_related_jobs, **of_all, window=window, columns=JOB_COLUMNS),
            *([partial(relations.find_keys_behind, **of_all, window=window)] if after else []),
        ):
            for plan in await planner.plans(query):
                assert plan.indexes == {"idx_job_org_parent"}, plan.root


@each_organisation
async def test_counts_of_batches_read_their_index_alone(planner: Planner) -> None:
    names = ["nightly", *(f"batch {n}" for n in range(80, 100)), "none"]
    in_them = select(func.count()).where(
        job_table.c.org_id == planner.org_id, job_table.c.batch.in_(names)
    )
    ((expected,),) = await planner.rows(in_them)
    assert expected > 0
    for plan in await planner.plans(partial(relations.load_batch_counts, names=names)):
        scan = related_scan(plan, "idx_job_org_batch", len(names))
        assert scan["Node Type"] == "Index Only Scan"
        assert scan["Heap Fetches"] == 0
        # Rounded as above.
        assert abs(sum(plan.rows_read) - expected) <= 0.01 * expected + plan.rounding
    for plan in await planner.plans(partial(relations.find_batches, names=names)):
        assert sum(plan.rows_read) <= len(names) + plan.rounding
    window = Window(JOB_ORDERS[JobOrderField.CREATED_AT, True], 3)
    of_all = {"relation": Relation.BATCH, "keys": names, "criteria": None, "window": window}
    query = partial(relations.load_related_jobs, **of_all, columns=JOB_COLUMNS)
    for plan in await planner.plans(query):
        assert related_scan(plan, "idx_job_org_batch", len(names))["Actual Rows"] <= 3


@each_organisation
async def test_tags_are_found_in_their_index(planner: Planner, large_database_url: str) -> None:
    scope = Scope(planner.org_id, statement_timeout_seconds=60)
    connection = await asyncpg.connect(large_database_url)
    scans = "SELECT pg_stat_get_xact_numscans($1::text::regclass)"
    try:
        await connection.execute(scope.begin_sql())
        before = [await connection.fetchval(scans, name) for name in ("idx_job_tags", "job")]
        search = "SELECT joblens_rows_with_tags($1::jsonb, 10000, false)"
        found = await connection.fetchval(search, '["rare 499"]')
        tagged = select(job_table.c.id).where(
            job_table.c.org_id == planner.org_id, job_table.c.tags.contains(["rare 499"])
        )
        ids = await ids_at(connection, found)
        assert set(ids or ()) == {row.id for row in await planner.rows(tagged)}
        after = [await connection.fetchval(scans, name) for name in ("idx_job_tags", "job")]
        assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0]
    finally:
        await connection.close()


@each_organisation
@pytest.mark.parametrize("with_common", [False, True])
@pytest.mark.parametrize("part", ["zzz", "bro", "e 1", "broke 1", "it broke 1!"])
async def test_messages_are_found_in_their_index(
    org_id: UUID, large_database_url: str, part: str, with_common: bool
) -> None:
    connection = await asyncpg.connect(large_database_url)
    read = (
        "SELECT sum(pg_stat_get_xact_tuples_returned(index)) FROM unnest($1::regclass[]) AS index"
    )
    others = ["idx_job_org_error_message", "idx_job_org_created", "pk_job"]
    try:
        await connection.execute(Scope(org_id, statement_timeout_seconds=60).begin_sql())
        # Of many messages a bitmap would not fit in it.
        await connection.execute("SET LOCAL work_mem = '64kB'")
        before = await connection.fetchval(read, others)
        search = "SELECT joblens_rows_with_error_text($1, true, true, 10000, $2)"
        await connection.fetchval(search, part, with_common)
        # At eight times: whether it is common, and how frequent its trigrams are.
        assert await connection.fetchval(read, others) - before <= 2 + 8 * 150 + 200
        scans = "SELECT pg_stat_get_xact_numscans('job'::regclass)"
        assert await connection.fetchval(scans) == 0
    finally:
        await connection.close()


@each_organisation
@pytest.mark.parametrize("time", [None, datetime(2026, 1, 1, 6, tzinfo=UTC)])
async def test_moments_of_many_jobs_are_cut_out_of_the_primary_key(
    planner: Planner, time: datetime | None
) -> None:
    ids = [row.id for row in await planner.rows(select(job_table.c.id).limit(200))]
    for plan in await planner.plans(partial(moments.load_moments_by_job, job_ids=ids, time=time)):
        (scan,) = [node for node in plan if "Relation Name" in node]
        assert scan["Index Name"] == "pk_job_event"
        assert "job_id = " in scan["Index Cond"]
        assert scan["Actual Loops"] == len(ids) == 200
        # Those after the time, and no other.
        assert sum(plan.rows_read) <= len(ids) * (1 if time is None else history.EVENTS_PER_JOB)
        assert "Sort" not in plan.kinds


@pytest.mark.parametrize("org_id", [UUID(int=9)])
async def test_of_attempts_only_the_newest_are_read(
    planner: Planner, large_database_url: str
) -> None:
    """However often, and however long ago, the job was started before."""
    job_id = UUID(int=1)
    await history.start_often(large_database_url, planner.org_id, job_id, 20_000)
    query = partial(
        attempts.load_attempts_by_job, job_ids=[job_id], last=LIMIT, details=["error_code"]
    )
    for plan in await planner.plans(query):
        assert plan.indexes == {"pk_job_event"}
        # Each attempt is begun, ended and queued again.
        assert sum(plan.rows_read) <= 4 * LIMIT + plan.rounding
        assert plan.blocks <= 10 * LIMIT


@each_organisation
@pytest.mark.parametrize("limit", [1, LIMIT])
async def test_due_jobs_are_cut_out_of_each_priority(planner: Planner, limit: int) -> None:
    query = partial(
        due_jobs.list_due_jobs, now=datetime.now(UTC), limit=limit, type_=None, columns=JOB_COLUMNS
    )
    priorities = 4
    for plan in await planner.plans(query):
        assert plan.indexes == {"idx_job_org_queued_priority"}, plan.root
        assert "Seq Scan" not in plan.kinds, plan.root
        # Each step down the priorities reads one row, and each priority is read up to the limit.
        assert sum(plan.rows_read) - plan.rounding <= priorities * (limit + 1), plan.root


QUEUES = ["default", "mail", "slow", "nightly"]
# The end of the history.
END = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=history.JOBS // 3)


@pytest.fixture(scope="module")
async def _scheduled(large_database_url: str) -> None:
    """Give every third of the queued jobs a time, half of these in the future."""
    owner = await asyncpg.connect(large_database_url)
    await owner.execute(
        "UPDATE job SET scheduled_at = created_at + get_byte(uuid_send(id), 1) % 2"
        " * interval '100 years' WHERE status = 'queued' AND get_byte(uuid_send(id), 0) < 85"
    )
    await owner.execute("VACUUM (ANALYZE) job")
    await owner.close()


@pytest.mark.usefixtures("_scheduled")
@each_organisation
@pytest.mark.parametrize("most", [2, AT_MOST])
@pytest.mark.parametrize("asked", [1, 10, 200])
async def test_the_order_of_a_queue_is_read_up_to_its_bound(
    planner: Planner, most: int, asked: int
) -> None:
    queued = select(job_table.c.id).where(
        job_table.c.org_id == planner.org_id, job_table.c.status == "queued"
    )
    ids = [row.id for row in await planner.rows(queued.limit(asked))]
    query = partial(queue_orders.load_queue_orders, queues=QUEUES, job_ids=ids, now=END, most=most)
    for plan in await planner.plans(query):
        assert plan.indexes == {"idx_job_org_queue_unscheduled", "idx_job_org_queue_scheduled"}
        assert "Seq Scan" not in plan.kinds, plan.root
        assert sum(plan.rows_read) - plan.rounding <= 2 * len(QUEUES) * most, plan.root


@pytest.mark.usefixtures("_scheduled")
@each_organisation
@pytest.mark.parametrize("most", [1, 2, AT_MOST, 100_000])
async def test_what_waits_in_a_queue_is_read_up_to_its_bound(
    planner: Planner, engine: AsyncEngine, most: int
) -> None:
    given = {"queues": [*QUEUES, "none"], "now": END, "most": most}
    for plan in await planner.plans(partial(queue_heads.load_queue_heads, **given)):
        assert plan.indexes == {"idx_job_org_queue_unscheduled", "idx_job_org_queue_scheduled"}
        assert "Seq Scan" not in plan.kinds, plan.root
        # Once for the first one without a time; those with one for their sums, the first and the
        # last.
        most_read = len(QUEUES) * (4 * most + 1)
        assert sum(plan.rows_read) - plan.rounding <= most_read, plan.root
    scope = Scope(planner.org_id, statement_timeout_seconds=60)
    async with RequestSession(engine, scope) as session, session.use() as begun:
        heads = await queue_heads.load_queue_heads(begun, planner.org_id, **given)
        orders = await queue_orders.load_queue_orders(begun, planner.org_id, job_ids=[], **given)
    names = "due", "timed", "later", "oldest_due_at", "next_due_at", "is_next_certain"
    by_queue = {row.queue: [getattr(row, name) for name in names] for row in orders}
    assert len(by_queue) == len(QUEUES)
    for row in heads:
        found = [getattr(row, name) for name in names]
        if row.queue == "none":
            assert found[:5] == [0, 0, 0, None, None]
        else:
            # Without a next one, none is certain.
            assert found[:5] == by_queue[row.queue][:5]
            assert found[4] is None or found[5] == by_queue[row.queue][5]


@each_organisation
@each_number
async def test_starts_are_read_up_to_their_bounds(
    planner: Planner, monkeypatch: pytest.MonkeyPatch, organisations: int | None
) -> None:
    monkeypatch.setattr(queue_activity, "MOST_EVENTS", 500)
    monkeypatch.setattr(queue_activity, "MOST_STARTED", 500)
    since = END - timedelta(hours=1)
    many = {"organisations": organisations}
    for plan in await planner.plans(queue_activity.list_starts, since, END, **many):
        assert plan.indexes == {EVENTS_INDEX, "pk_job"}, plan.root
        # The job of each start is looked up.
        assert sum(plan.rows_read) <= 2 * 500, plan.root
    for plan in await planner.plans(queue_activity.load_last_starts, QUEUES, END, **many):
        assert plan.indexes == {"idx_job_org_started"}, plan.root
        assert sum(plan.rows_read) <= 500, plan.root


@pytest.mark.usefixtures("_scheduled")
@each_organisation
async def test_queues_with_queued_jobs_are_found_one_after_another(planner: Planner) -> None:
    for plan in await planner.plans(values.list_queued_queues):
        assert plan.indexes == {"idx_job_org_queue_unscheduled", "idx_job_org_queue_scheduled"}
        assert "Seq Scan" not in plan.kinds, plan.root
        assert sum(plan.rows_read) - plan.rounding <= 2 * len(QUEUES), plan.root


@each_organisation
@pytest.mark.parametrize("criteria", [None, JobCriteria(type=TextCriteria(eq="user.sync"))])
@pytest.mark.parametrize("wanted", ["exact", "binned"])
async def test_of_few_durations_the_job_of_each_is_looked_up(
    planner: Planner, wanted: str, criteria: JobCriteria | None
) -> None:
    since = END - timedelta(minutes=15)
    buckets = Buckets.read_from([since, END], [Run(None, since, END)])
    series = Series(JobDimension.QUEUE, list(QUEUES), END)
    of_time = select(func.count()).where(
        job_event_table.c.org_id == planner.org_id,
        job_event_table.c.ts >= since,
        job_event_table.c.ts < END,
    )
    ((events_of_time,),) = await planner.rows(of_time)
    for plan in await planner.plans(_distributions, wanted, criteria, series, buckets):
        assert plan.indexes <= {EVENTS_INDEX, "pk_job", "pk_job_event"}, plan.root
        assert "Seq Scan" not in plan.kinds, plan.root
        # Of each event the job, for its queue and its times, and the previous event.
        assert sum(plan.rows_read) - plan.rounding <= 5 * events_of_time, plan.root


async def _distributions(
    session: AsyncSession, org_id: UUID, wanted: str, criteria: Any, series: Series, of: Buckets
) -> Any:
    asked = org_id, criteria, series, of
    if wanted == "exact":
        return await read(session, distribution_statements.exact, *asked, True)
    return await read(session, distribution_statements.binned, *asked)


@each_organisation
@each_number
async def test_of_recent_events_each_job_is_read_once(
    planner: Planner, organisations: int | None
) -> None:
    since = END - timedelta(minutes=15)
    buckets = Buckets.read_from([since, END], [Run(None, since, END)])
    series = Series(JobDimension.QUEUE, None, END)
    of_time = select(func.count(), func.count(job_event_table.c.job_id.distinct())).where(
        job_event_table.c.org_id == planner.org_id,
        job_event_table.c.ts >= since,
        job_event_table.c.ts < END,
    )
    ((events_of_time, jobs_of_time),) = await planner.rows(of_time)
    asked = _events_of_jobs, series, buckets
    given = {"effort": effort_of_any([[since, END]]), "organisations": organisations}
    for plan in await planner.plans(*asked, **given):
        assert plan.indexes <= {EVENTS_INDEX, "pk_job"}, plan.root
        assert "Seq Scan" not in plan.kinds, plan.root
        assert sum(plan.rows_read) - plan.rounding <= events_of_time + jobs_of_time, plan.root


async def _events_of_jobs(session: AsyncSession, org_id: UUID, series: Series, of: Buckets) -> Any:
    return await read(session, timeline_statements.events_of_jobs, org_id, series, of)


@each_organisation
async def test_new_errors_are_found_by_their_transactions(planner: Planner) -> None:
    """And not among all errors, whatever a plan for any snapshot costs."""
    ((snapshot,),) = await planner.rows(select(cast(func.pg_current_snapshot(), Text())))
    for plan in await planner.plans(_new_errors, snapshot):
        assert plan.indexes == {"idx_job_event_org_xid", "pk_job"}, plan.root
        assert sum(plan.rows_read) == 0, plan.root


async def _new_errors(session: AsyncSession, org_id: UUID, seen: str) -> Any:
    return await read(session, error_groups._new_errors, org_id, seen)


@each_organisation
async def test_running_jobs_are_counted_up_to_their_bound(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_counts, "MOST_RUNNING", AT_MOST)
    for plan in await planner.plans(queue_counts.count_by_queue):
        assert plan.indexes == {"idx_job_org_status"}, plan.root
        assert sum(plan.rows_read) <= AT_MOST + 1, plan.root


@each_organisation
async def test_workers_are_found_up_to_their_bounds(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_JOBS", AT_MOST)
    for plan in await planner.plans(workers.list_workers, END - timedelta(minutes=15)):
        assert plan.indexes == {"idx_job_org_status", "idx_job_org_updated"}, plan.root
        assert sum(plan.rows_read) <= 2 * AT_MOST + 1, plan.root


@each_organisation
async def test_bounded_counts_stop_at_their_bound(planner: Planner) -> None:
    failed = JobCriteria(status=[JobStatus.FAILED])
    for query, criteria in [
        (jobs.count_jobs, None),
        (jobs.count_jobs, failed),
        (events.count_events, None),
    ]:
        for plan in await planner.plans(query, criteria, AT_MOST):
            assert plan.kinds <= {*INDEX_SCANS, "Aggregate"}, plan.root
            assert sum(plan.rows_read) <= AT_MOST + 1


@each_organisation
async def test_bounded_counts_by_status_stop_at_their_bound_for_each(planner: Planner) -> None:
    for plan in await planner.plans(aggregates.count_jobs_by_status, None, AT_MOST):
        assert "Seq Scan" not in plan.kinds, plan.root
        assert plan.indexes == {"idx_job_org_status"}, plan.root
        assert len(plan.rows_read) == len(JobStatus)
        assert max(plan.rows_read) <= AT_MOST + 1


@each_organisation
async def test_a_timeline_reads_only_its_range(planner: Planner) -> None:
    start = datetime(2026, 1, 1, 17, tzinfo=UTC)
    until = start + timedelta(minutes=10)
    edges = [start, until]
    ts = job_event_table.c.ts
    in_range = select(func.count()).where(
        job_event_table.c.org_id == planner.org_id, ts >= start, ts < until
    )
    ((expected,),) = await planner.rows(in_range)
    assert expected > 0
    for plan in await planner.plans(timelines.count_changes, None, edges):
        assert plan.indexes == {EVENTS_INDEX}, plan.root
        assert sum(plan.rows_read) == expected


@each_organisation
async def test_creations_look_up_no_jobs_of_other_changes(planner: Planner) -> None:
    start = datetime(2026, 1, 1, 17, tzinfo=UTC)
    until = start + timedelta(minutes=10)
    of_event = job_event_table.c
    created = select(func.count()).where(
        of_event.org_id == planner.org_id,
        of_event.ts >= start,
        of_event.ts < until,
        of_event.prev_status.is_(None),
    )
    ((expected,),) = await planner.rows(created)
    failed = JobCriteria(status=[JobStatus.FAILED])

    def count(only_created: bool) -> Any:
        return partial(timelines.count_changes, only_created=only_created)

    for of_all, of_created in zip(
        await planner.plans(count(False), failed, [start, until]),
        await planner.plans(count(True), failed, [start, until]),
        strict=True,
    ):
        assert 0 < _rows_of(of_created, "job_event") <= expected < _rows_of(of_all, "job_event")


def _rows_of(plan: Plan, table: str) -> float:
    return sum(
        node["Actual Rows"] * node["Actual Loops"]
        for node in plan
        if node.get("Relation Name") == table
    )


@each_organisation
@pytest.mark.parametrize("verdict", sorted(set(HealthVerdict) - {HealthVerdict.OK}))
async def test_unhealthy_jobs_are_looked_for_among_those_under_way(
    planner: Planner, verdict: HealthVerdict
) -> None:
    now = datetime(2026, 2, 1, tzinfo=UTC)
    criteria = JobCriteria(status=sorted(STATUSES[verdict]), health=HealthCriteria([verdict], now))
    is_under_way = job_table.c.status.in_([each.value for each in STATUSES[verdict]])
    under_way = select(func.count()).where(job_table.c.org_id == planner.org_id, is_under_way)
    ((most,),) = await planner.rows(under_way)
    for plan in await planner.plans(jobs.count_jobs, criteria, None):
        scans = [node for node in plan if node.get("Relation Name") == "job"]
        assert {node["Node Type"] for node in scans} <= {*INDEX_SCANS, "Bitmap Heap Scan"}
        assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= most
        assert sum(plan.rows_read) <= most + plan.rounding


@pytest.fixture(scope="module")
async def _started_often(large_database_url: str) -> None:
    """Let every tenth job under way have failed before, and half of these often."""
    owner = await asyncpg.connect(large_database_url)
    await owner.execute(
        "UPDATE job SET attempt = 2 + get_byte(uuid_send(id), 3) % 2, error_group = $1"
        " WHERE status IN ('queued', 'running') AND get_byte(uuid_send(id), 2) < 25",
        UUID(GROUPS[1:37]),
    )
    await owner.execute("VACUUM (ANALYZE) job")
    await owner.close()


FLAPPING_INDEX = "idx_job_org_flapping"


@pytest.mark.usefixtures("_started_often")
@each_organisation
@pytest.mark.parametrize("statuses", [[JobStatus.QUEUED, JobStatus.RUNNING], [JobStatus.QUEUED]])
async def test_jobs_that_flap_are_found_in_their_index(
    planner: Planner, statuses: list[JobStatus]
) -> None:
    criteria = JobCriteria(status=statuses, health=HealthCriteria([HealthVerdict.FLAPPING], END))
    may_flap = select(func.count()).where(
        job_conditions(planner.org_id, JobCriteria(status=[JobStatus.QUEUED, JobStatus.RUNNING])),
        job_table.c.attempt >= 3,
        job_table.c.error_group.is_not(None),
    )
    ((most,),) = await planner.rows(may_flap)
    assert most > 0
    window = Window(JOB_ORDERS[JobOrderField.CREATED_AT, True], LIMIT)
    for query, arguments in (
        (jobs.list_jobs, (window, JOB_COLUMNS)),
        (jobs.count_jobs, (AT_MOST,)),
        (jobs.count_jobs, (None,)),
        (aggregates.count_jobs_by_status, (None,)),
    ):
        for plan in await planner.plans(query, criteria, *arguments):
            scans = [node for node in plan if node.get("Relation Name") == "job"]
            names = {node["Index Name"] for node in plan if "job_org" in node.get("Index Name", "")}
            assert names == {FLAPPING_INDEX}, plan.root
            assert not any("Seq Scan" in node["Node Type"] for node in scans), plan.root
            # Once for each status.
            assert sum(plan.rows_read) - plan.rounding <= len(statuses) * most, plan.root


def test_every_index_is_one_that_these_plans_use() -> None:
    made = {
        index.name
        for table in metadata.sorted_tables
        for index in table.indexes
        if not index.unique
    }
    # The last one is that of tests/resolvers/live/test_plans.py.
    of_events = {EVENTS_INDEX, STATUS_INDEX, "idx_job_event_org_xid"}
    # The latter are those of tests/db/test_payload_search.py, test_message_search.py and
    # test_tag_search.py, and what `joblens tally` empties.
    others = {
        "idx_job_org_error_message",
        "idx_job_payload",
        "idx_job_error_trigrams",
        "idx_job_tags",
        "idx_job_org_ungrouped",
        FLAPPING_INDEX,
    }
    of_queues = {"idx_job_org_queue_unscheduled", "idx_job_org_queue_scheduled"}
    assert made == {listing.index for listing in LISTINGS} | of_events | of_queues | others
