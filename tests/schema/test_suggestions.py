"""Suggestions: the values that begin with a text, counted, the commonest first."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from db.queries import values
from tests.support.ledger import EPOCH, insert, job
from tests.support.service import Service

QUERY = """query ($field: JobDimension!, $prefix: String = "", $first: Int = 10) {
    suggest(field: $field, prefix: $prefix, first: $first) { value count { value isExact } }
}"""
FIELDS = {
    "TYPE": "type",
    "QUEUE": "queue",
    "REQUESTED_BY": "requested_by",
    "LAST_ERROR_CODE": "last_error_code",
}
WORDS = ["email.send", "Email", "email", "email", "report", "na\u00efve", "\U0001f680", "%", "_"]


async def suggested(service: Service, org: Any, field: str, **arguments: Any) -> dict[str, int]:
    answer = await service.query(QUERY, {"field": field, **arguments}, Joblens_Org=str(org))
    assert all(each["count"]["isExact"] for each in answer["suggest"])
    return {each["value"]: each["count"]["value"] for each in answer["suggest"]}


async def fill(database_url: str, count: int, word: Any) -> Any:
    org = uuid4()
    rows = [
        job(
            id=uuid4(),
            org_id=org,
            created_at=EPOCH + timedelta(seconds=n),
            **dict.fromkeys(FIELDS.values(), word(n)),
        )
        for n in range(count)
    ]
    await insert(database_url, rows, [])
    return org


@pytest.mark.parametrize("field", FIELDS)
async def test_values_are_counted(service: Service, database_url: str, field: str) -> None:
    org = await fill(database_url, 50, lambda n: WORDS[n % len(WORDS)])
    counts = Counter(WORDS[n % len(WORDS)] for n in range(50))
    for prefix in ("", "e", "email", "email.", "E", "na", "\U0001f680", "%", "_", "none"):
        matching = {word: n for word, n in counts.items() if word.startswith(prefix)}
        found = await suggested(service, org, field, prefix=prefix)
        assert list(found.items()) == sorted(matching.items(), key=lambda each: (-each[1], each[0]))
    assert len(await suggested(service, org, field, first=3)) == 3
    assert await suggested(service, org, field, first=0) == {}
    assert await suggested(service, uuid4(), field) == {}


@pytest.mark.parametrize("field", FIELDS)
async def test_of_many_values_those_of_the_newest_jobs_are_found(
    service: Service, database_url: str, field: str
) -> None:
    # Of the first jobs each has a value of its own.
    org = await fill(database_url, 300, lambda n: f"z{n % 3}" if n > 250 else f"user-{n:03}")
    found = await suggested(service, org, field, first=3)
    assert set(found) == {"z0", "z1", "z2"}
    assert list(await suggested(service, org, field, prefix="user-2")) == [
        f"user-{n}" for n in range(200, 210)
    ]


async def test_counts_stop(service: Service, database_url: str) -> None:
    org = await fill(database_url, values.MOST_JOBS + 5, lambda _n: "same")
    answer = await service.query(QUERY, {"field": "TYPE"}, Joblens_Org=str(org))
    assert answer["suggest"] == [
        {"value": "same", "count": {"value": values.MOST_JOBS, "isExact": False}}
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        {"field": "STATUS"},
        {"field": "PRIORITY"},
        {"field": "TYPE", "first": -1},
        {"field": "TYPE", "first": 201},
        {"field": "TYPE", "prefix": "\0"},
    ],
)
async def test_bad_arguments(service: Service, arguments: Any) -> None:
    (error,) = await service.errors(QUERY, arguments)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
