"""`Job.attempts`: the newest ones, as many as a page may have, however many there were."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.schema.limits.entrances import codes
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving

RUNS = 60
OFTEN = job(1, max_attempts=RUNS, status="failed", attempt=RUNS)
RUNNING = job(2, status="running", attempt=3)
GIVEN_BACK = job(3, attempt=1)
NEW = job(4)
NUMBERS = "query ($id: ID!) { job(id: $id) { attempts%s { number outcome } } }"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    """Jobs with notes between the changes of their status, which are no attempts."""
    steps = [
        *events(OFTEN, *["queued", "queued", "running", "failed", "failed"] * RUNS),
        *events(RUNNING, *["queued", "running", "failed"] * 2, "queued", "running", "running"),
        *events(GIVEN_BACK, "queued", "running", "queued", "queued"),
        *events(NEW, "queued"),
    ]
    await insert(database_url, [OFTEN, RUNNING, GIVEN_BACK, NEW], steps)


async def attempts(service: Service, row: dict[str, Any], arguments: str = "") -> list[Any]:
    data = await service.query(NUMBERS % arguments, {"id": str(row["id"])})
    found: list[Any] = data["job"]["attempts"]
    return found


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ("", 50),
        ("(last: 50)", 50),
        ("(last: null)", 50),
        ("(last: 0)", 0),
        ("(last: 1)", 1),
        ("(last: 59)", 59),
        ("(last: 200)", RUNS),
    ],
)
async def test_the_newest_come_oldest_first(service: Service, arguments: str, count: int) -> None:
    found = await attempts(service, OFTEN, arguments)
    assert [each["number"] for each in found] == list(range(RUNS - count + 1, RUNS + 1))
    assert {each["outcome"] for each in found} <= {"FAILED"}


async def test_how_they_ended(service: Service) -> None:
    told = [(each["number"], each["outcome"]) for each in await attempts(service, RUNNING)]
    assert told == [(1, "FAILED"), (2, "FAILED"), (3, None)]
    assert await attempts(service, RUNNING, "(last: 1)") == [{"number": 3, "outcome": None}]
    assert await attempts(service, GIVEN_BACK) == [{"number": 1, "outcome": "QUEUED"}]
    assert await attempts(service, NEW) == []


@pytest.mark.parametrize("last", [-1, 201, 2**31 - 1])
async def test_how_many_is_bounded(service: Service, last: int) -> None:
    query = NUMBERS % f"(last: {last})"
    (error,) = await service.errors(query, {"id": str(OFTEN["id"])})
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "'last' must be between 0 and 200." in error["message"]


@pytest.fixture(scope="module")
async def small(database_url: str) -> AsyncIterator[Service]:
    pages = {"page_size_default": "3", "page_size_max": "5"}
    async with serving(database_url, **pages) as running:
        yield running


async def test_the_default_gives_way_to_smaller_pages(small: Service) -> None:
    """Who asks for no number in particular gets no error."""
    assert len(await attempts(small, OFTEN)) == 5
    assert len(await attempts(small, OFTEN, "(last: null)")) == 3
    assert await small.query("{ jobGroups(by: [TYPE]) { count } }")
    for refused in (
        "{ jobs { nodes { attempts(last: 6) { number } } } }",
        "{ jobGroups(by: [TYPE], first: 6) { count } }",
    ):
        assert codes({"errors": await small.errors(refused)}) == ["BAD_USER_INPUT"]


async def test_they_are_priced_by_their_number(service: Service) -> None:
    for arguments, expected in (
        ("", 4 + 4 * 50),
        ("(last: 7)", 4 + 4 * 7),
        ("(last: 9999)", 4 + 4 * 200),
    ):
        text = f"{{ jobs(first: 4) {{ nodes {{ attempts{arguments} {{ number }} }} }} }}"
        cost = (await service.post(text)).json()["extensions"]["cost"]
        assert cost["requested"] == expected


async def test_jobs_share_a_statement(service: Service) -> None:
    text = "{ jobs { nodes { a: attempts(last: 2) { number } b: attempts(last: 2) { outcome errorCode } } } }"
    with service.recorded() as statements:
        data = await service.query(text)
    # The jobs, the attempts, and those with what they ended in.
    assert len(statements) == 3
    assert [len(node["a"]) for node in data["jobs"]["nodes"]] == [0, 1, 2, 2]
