"""The health of jobs: the field and the filter agree, on both sides of every bound."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.health import Figures, HealthVerdict, Usual, judge, usual_of
from db.statuses import JobStatus
from resolvers.viewer import Role
from tests.resolvers.roles.asking import Asking, asking
from tests.support.effort import examples
from tests.support.ledger import insert, job

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# By type; of "new" nothing is known, of "rare" too little.
USUAL = {
    "quick": usual_of(Figures(1_000, 0.001, 0.01), Figures(500, 0.2, 1.5)),
    "slow": usual_of(Figures(20, 600.0, 3_600.123457), Figures(20, 1_800.0, 7_200.5)),
    "waits": usual_of(Figures(25, 1.0, 100.0), Figures(19, 1.0, 2.0)),
    "rare": usual_of(Figures(19, 1.0, 2.0), Figures()),
}
_bounds = [
    bound
    for usual in USUAL.values()
    for bound in (usual.late_after, usual.slow_after, usual.stuck_after, usual.silent_after)
    if bound is not None
]
ages = st.one_of(
    st.builds(
        lambda bound, shift: bound + shift * MICROSECOND,
        st.sampled_from(_bounds),
        st.integers(-1, 1),
    ),
    st.integers(-100, 10**11).map(lambda microseconds: microseconds * MICROSECOND),
)
lives = st.fixed_dictionaries(
    {
        "type": st.sampled_from([*USUAL, "new"]),
        "status": st.sampled_from([*JobStatus, JobStatus.QUEUED, *[JobStatus.RUNNING] * 3]),
        "attempt": st.integers(0, 5),
        "error": st.booleans(),
        "queued": ages,
        "scheduled": st.none() | ages,
        "started": ages,
        "updated": ages,
        "progress": st.none() | ages,
    }
)


def row_of(org_id: UUID, life: dict[str, Any]) -> dict[str, Any]:
    status = JobStatus(life["status"])
    return job(
        org_id=org_id,
        type=life["type"],
        status=status.value,
        attempt=life["attempt"],
        last_error_code="E" if life["error"] else None,
        created_at=NOW - timedelta(days=9),
        queued_at=NOW - life["queued"],
        scheduled_at=None if life["scheduled"] is None else NOW - life["scheduled"],
        started_at=None if status is JobStatus.QUEUED else NOW - life["started"],
        updated_at=NOW - life["updated"],
        progress_at=None if life["progress"] is None else NOW - life["progress"],
        progress_fraction=None if life["progress"] is None else 0.5,
        **({"finished_at": NOW} if status.is_terminal else {}),
    )


async def write_usual(url: str, org_id: UUID) -> None:
    connection = await asyncpg.connect(url)
    for type_, usual in USUAL.items():
        await connection.execute(
            "INSERT INTO type_usual VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *(org_id, type_, NOW),
            *(usual.wait.sample, usual.wait.median, usual.wait.p95),
            *(usual.run.sample, usual.run.median, usual.run.p95),
            *(usual.late_after, usual.slow_after, usual.stuck_after, usual.silent_after),
        )
    await connection.close()


@pytest.fixture(scope="module")
async def someone(database_url: str) -> AsyncIterator[Asking]:
    async with asking(database_url, max_aliases="100", max_root_fields="100") as asked:
        yield asked.at(NOW)


_PARTS = "\n".join(
    f"{each.name}: jobs(filter: {{health: [{each.name}]}}, first: 200) {{ nodes {{ id }} count {{ value }} }}"
    f" c{each.name}: statusCounts(filter: {{health: [{each.name}]}}) {{ count {{ value }} }}"
    f" g{each.name}: jobGroups(by: [TYPE], filter: {{health: [{each.name}]}}) {{ count }}"
    for each in HealthVerdict
)
QUERY = f"""query ($not: [HealthVerdict!]!, $statuses: [JobStatus!]!) {{
  all: jobs(first: 200) {{ nodes {{ id type status health {{ verdict since expectedSeconds }} }} }}
  none: jobs(filter: {{health: []}}) {{ count {{ value }} }}
  none2: jobs(filter: {{not: {{health: $not}}}}) {{ nodes {{ id }} }}
  of: jobs(filter: {{health: $not, status: $statuses}}) {{ nodes {{ id }} }}
  groups: jobGroups(by: [HEALTH]) {{ key {{ health }} count }}
  byType: jobGroups(by: [TYPE, HEALTH, STATUS]) {{ key {{ type health status }} count }}
  ofSome: jobGroups(by: [HEALTH], filter: {{health: $not}}) {{ key {{ health }} count }}
  {_PARTS} }}"""


@examples(60)
@given(
    given_lives=st.lists(lives, min_size=1, max_size=30),
    chosen=st.lists(st.sampled_from(HealthVerdict), unique=True),
    statuses=st.lists(st.sampled_from(JobStatus), unique=True),
)
async def test_field_filter_counts_and_groups_agree(
    someone: Asking,
    database_url: str,
    given_lives: list[dict[str, Any]],
    chosen: list[HealthVerdict],
    statuses: list[JobStatus],
) -> None:
    org_id = uuid4()
    rows = [row_of(org_id, life) for life in given_lives]
    await write_usual(database_url, org_id)
    await insert(database_url, rows)
    asked = someone.as_(Role.VIEWER, org=org_id)
    variables = {"not": [each.name for each in chosen], "statuses": [s.name for s in statuses]}
    data = await asked.data(QUERY, variables)
    by_id = {node["id"]: node for node in data["all"]["nodes"]}
    verdicts = {id_: node["health"]["verdict"] for id_, node in by_id.items()}
    for each in HealthVerdict:
        having = {id_ for id_, verdict in verdicts.items() if verdict == each.name}
        assert {node["id"] for node in data[each.name]["nodes"]} == having
        assert data[each.name]["count"]["value"] == len(having)
        assert sum(part["count"]["value"] for part in data[f"c{each.name}"]) == len(having)
        assert sum(group["count"] for group in data[f"g{each.name}"]) == len(having)
    assert counted(data["groups"]) == Counter((verdict,) for verdict in verdicts.values())
    assert counted(data["byType"]) == Counter(
        (node["type"], node["health"]["verdict"], node["status"]) for node in by_id.values()
    )
    names = variables["not"]
    assert counted(data["ofSome"]) == Counter(
        (each,) for each in verdicts.values() if each in names
    )
    assert data["none"]["count"]["value"] == 0
    assert {n["id"] for n in data["none2"]["nodes"]} == {
        id_ for id_, verdict in verdicts.items() if verdict not in names
    }
    assert {n["id"] for n in data["of"]["nodes"]} == {
        id_
        for id_, verdict in verdicts.items()
        if verdict in names and by_id[id_]["status"] in variables["statuses"]
    }


def counted(groups: list[Any]) -> Counter[tuple[str, ...]]:
    assert len({tuple(group["key"].values()) for group in groups}) == len(groups)
    return Counter({tuple(group["key"].values()): group["count"] for group in groups})


class Row:
    """A job as `judge` reads it: running for an hour, and silent for as long, unless told."""

    def __init__(self, **values: Any) -> None:
        self.status, self.attempt, self.error_group = "running", 1, None
        self.queued_at = self.started_at = self.updated_at = NOW - timedelta(hours=1)
        self.scheduled_at = self.progress_at = None
        self.__dict__.update(values)


MINUTE = timedelta(minutes=1)
BY_MINUTES = usual_of(Figures(20, 60.0, 120.0), Figures(20, 300.0, 600.0))


@pytest.mark.parametrize(
    ("values", "verdict", "since"),
    [
        # Half an hour is three times the ten minutes; silent for ten minutes.
        ({}, "STUCK", NOW - 30 * MINUTE),
        ({"updated_at": NOW - 11 * MINUTE}, "STUCK", NOW - MINUTE),
        ({"updated_at": NOW - 10 * MINUTE}, "SLOW", NOW - 50 * MINUTE),
        ({"progress_at": NOW - 10 * MINUTE}, "SLOW", NOW - 50 * MINUTE),
        ({"progress_at": NOW - 11 * MINUTE}, "STUCK", NOW - MINUTE),
        ({"started_at": NOW - 30 * MINUTE}, "SLOW", NOW - 20 * MINUTE),
        ({"started_at": NOW - 10 * MINUTE}, "OK", None),
        ({"attempt": 3, "error_group": 1}, "STUCK", NOW - 30 * MINUTE),
        ({"attempt": 3, "error_group": 1, "updated_at": NOW}, "FLAPPING", None),
        ({"attempt": 3, "updated_at": NOW}, "SLOW", NOW - 50 * MINUTE),
        # Four minutes are twice the two minutes.
        ({"status": "queued"}, "LATE", NOW - 56 * MINUTE),
        ({"status": "queued", "queued_at": NOW - 4 * MINUTE}, "OK", None),
        ({"status": "queued", "scheduled_at": NOW + MINUTE}, "OK", None),
        ({"status": "queued", "scheduled_at": NOW - 5 * MINUTE}, "LATE", NOW - MINUTE),
        (
            {"status": "queued", "queued_at": NOW, "attempt": 3, "error_group": 1},
            "FLAPPING",
            None,
        ),
        ({"status": "failed"}, "OK", None),
        ({"status": "dead_letter", "attempt": 5, "error_group": 1}, "OK", None),
    ],
)
def test_the_rule(values: dict[str, Any], verdict: str, since: datetime | None) -> None:
    found = judge(Row(**values), BY_MINUTES, NOW)
    assert (found.verdict.name, found.since) == (verdict, since)


@pytest.mark.parametrize("status", ["queued", "running"])
def test_too_few_tell_nothing(status: str) -> None:
    few = usual_of(Figures(19, 1.0, 2.0), Figures(19, 1.0, 2.0))
    for usual in (few, Usual()):
        found = judge(Row(status=status), usual, NOW)
        assert (found.verdict, found.since) == (HealthVerdict.UNKNOWN, None)
        flapping = judge(Row(status=status, attempt=3, error_group=1), usual, NOW)
        assert flapping.verdict is HealthVerdict.FLAPPING
