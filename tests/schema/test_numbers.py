"""Numbers in JSON: every digit stays, or the number is refused; the same at every entrance."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.json_values import Digits, dumps, loads, stored_bytes
from db.tables import job_table
from db.transfer import export_records, import_records
from joblens import InvalidJobError, JobRepository, session_scope
from tests.support.effort import examples
from tests.support.service import ORG, Service

# As it is written, as it is kept.
TAKEN = {
    "0.1234567890123456789": "0.1234567890123456789",
    "0.10": "0.10",
    "-12.500": "-12.500",
    "1.0": "1.0",
    "1e5": "100000",
    "1E-7": "0.0000001",
    "0.00001": "0.00001",
    "0.30000000000000004": "0.30000000000000004",
    "123456789012345678.25": "123456789012345678.25",
    "9007199254740993": "9007199254740993",
    "18446744073709551615": "18446744073709551615",
    "-9223372036854775808": "-9223372036854775808",
    "3.4e38": "34" + "0" * 37,
    "1e30": "1" + "0" * 30,
    "1" + "0" * 30: "1" + "0" * 30,
    "1.7976931348623157e308": "17976931348623157" + "0" * 292,
    "5e-324": "0." + "0" * 323 + "5",
    "1e-400": "0." + "0" * 399 + "1",
    "-1e-1100": "-0." + "0" * 1099 + "1",
    "0e3": "0",
}
REFUSED = [
    "18446744073709551616",
    "-9223372036854775809",
    "340282346638528859811704183484516925440",
    "100000000000000000000.5",
    "1e309",
    "-1e400",
    "1e999999999999999999999",
    "1e-1101",
    "0e-5000",
    "9" * 5_000,
]
CREATE = """mutation ($p: JSON) { createJob(input: {type: "t", payload: $p}) {
  __typename ... on CreateJobPayload { job { id payload } } ... on InvalidInput { field } } }"""
FIND = """query ($p: JSON) { jobs(filter: {payloadContains: $p}) { nodes { id } } }"""


async def ask(service: Service, query: str, payload: str, *, as_literal: bool) -> Any:
    """Send JSON as it is written, in a variable or in the document."""
    if as_literal:
        text = query.replace("($p: JSON)", "").replace("$p", payload.replace('"n"', "n"))
        body = json.dumps({"query": text})
    else:
        body = f'{{"query": {json.dumps(query)}, "variables": {{"p": {payload}}}}}'
    headers = {"content-type": "application/json"}
    return (await service.client.post("/graphql", content=body, headers=headers)).json()


@pytest.mark.parametrize("number", TAKEN)
@pytest.mark.parametrize("as_literal", [False, True])
async def test_every_digit_is_kept(
    service: Service, tables: Any, number: str, *, as_literal: bool
) -> None:
    answer = await ask(service, CREATE, f'{{"n": [{number}]}}', as_literal=as_literal)
    job_id = answer["data"]["createJob"]["job"]["id"]
    stored = "SELECT (payload->'n'->0)::text FROM job WHERE id = $1"
    assert await tables.fetchval(stored, UUID(job_id)) == TAKEN[number]
    for text in (number, TAKEN[number]):
        found = await ask(service, FIND, f'{{"n": [{text}]}}', as_literal=as_literal)
        assert job_id in {node["id"] for node in found["data"]["jobs"]["nodes"]}
    near = TAKEN[number] + "1" if "." in TAKEN[number] and len(number) < 100 else "0.7"
    found = await ask(service, FIND, f'{{"n": [{near}]}}', as_literal=as_literal)
    if "errors" not in found:  # one digit more may be one too many
        assert job_id not in {node["id"] for node in found["data"]["jobs"]["nodes"]}


@pytest.mark.parametrize("number", REFUSED)
@pytest.mark.parametrize("as_literal", [False, True])
async def test_what_cannot_be_kept_is_refused(
    service: Service, number: str, *, as_literal: bool
) -> None:
    answer = await ask(service, CREATE, f'{{"n": [{number}]}}', as_literal=as_literal)
    assert answer["data"]["createJob"] == {"__typename": "InvalidInput", "field": "payload"}
    (error,) = (await ask(service, FIND, f'{{"n": [{number}]}}', as_literal=as_literal))["errors"]
    assert error["extensions"]["code"] == ("BAD_USER_INPUT" if as_literal else "BAD_REQUEST")


LIMIT = "mutation ($p: Int!) { cancelJobs(filter: {ids: []}, limit: $p) { changed } }"
LONGER = "query ($p: Float!) { jobs(filter: {waitingLongerThan: $p}) { nodes { id } } }"


@pytest.mark.parametrize("query", [LIMIT, LONGER])
@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "-0.10"])
async def test_a_number_that_is_none_of_these(service: Service, query: str, number: str) -> None:
    (error,) = (await ask(service, query, number, as_literal=False))["errors"]
    assert error["extensions"]["code"] in {"BAD_USER_INPUT", "BAD_REQUEST"}


@pytest.mark.parametrize("query", [LIMIT, LONGER])
@pytest.mark.parametrize("number", ["10.00", "1.0e1", "1E1"])
async def test_a_number_of_graphql_may_be_written_in_any_way(
    service: Service, query: str, number: str
) -> None:
    assert "errors" not in await ask(service, query, number, as_literal=False)


async def test_an_import_takes_and_refuses_the_same(database_url: str) -> None:
    org = uuid4()
    taken, refused = (
        [
            f'{{"type":"t","status":"queued","created_at":"2026-01-01T00:00:0{i % 10}Z","payload":{n}}}'
            for i, n in enumerate(numbers)
        ]
        for numbers in (TAKEN, REFUSED)
    )
    report = await import_records(database_url, org, [line.encode() for line in taken + refused])
    assert (report.imported, report.rejected) == (len(TAKEN), len(REFUSED))
    exported = [line.decode() async for line in export_records(database_url, org)]
    for number in TAKEN.values():
        assert any(f'"payload":{number},' in line for line in exported)


def ways_to_say(number: str) -> list[Any]:
    """Get the values of Python that are this very number."""
    exact = Decimal(number)
    ways: list[Any] = [exact, Digits(number)]
    if exact == exact.to_integral_value():
        ways.append(int(exact))
    if Decimal(repr(float(number))) == exact:
        ways.append(float(number))
    return ways


@pytest.mark.parametrize("number", TAKEN)
async def test_workers_in_python_follow_the_same_rule(engine: AsyncEngine, number: str) -> None:
    async with session_scope(UUID(ORG), engine=engine) as session:
        repository = JobRepository(session)
        for way in ways_to_say(number):
            made = (await repository.create_job("t", payload=[way])).job
            stored = select(cast(job_table.c.payload[0], Text)).where(job_table.c.id == made.id)
            text = (await session.execute(stored)).scalar_one()
            assert Decimal(text) == Decimal(number)
            if not isinstance(way, int | float) or isinstance(way, Digits):
                assert text == TAKEN[number]
            # What a worker reads, it can write again.
            again = (await repository.create_job("t", payload=made.payload)).job
            assert dumps(again.payload) == dumps(made.payload)


@pytest.mark.parametrize(
    "number",
    [
        *(Decimal(number) for number in REFUSED if "e9" not in number),
        *map(Digits, REFUSED),
        *(2**64, -(2**63) - 1, 10**309, float("inf"), float("nan"), Decimal("sNaN")),
    ],
)
async def test_workers_in_python_are_refused_the_same(engine: AsyncEngine, number: Any) -> None:
    async with session_scope(UUID(ORG), engine=engine) as session:
        with pytest.raises(InvalidJobError, match="payload: JSON must not have a number"):
            await JobRepository(session).create_job("t", payload={"n": [number]})


numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1).map(str),
    st.decimals(-(10**15), 10**15, allow_nan=False).map(lambda n: format(n, "f")),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
spaces = st.sampled_from(["", " ", "\n"])


@examples(200)
@given(parts=st.lists(st.tuples(spaces, numbers, spaces), min_size=1, max_size=4))
def test_parsed_and_written_again_a_number_has_its_digits(
    parts: list[tuple[str, str, str]],
) -> None:
    text = "[" + ",".join(map("".join, parts)) + "]"
    try:
        back = dumps(loads(text))
    except TypeError:
        return  # one that is refused
    told = json.loads(back, parse_float=Decimal, parse_int=Decimal)
    wanted = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert list(map(Decimal.as_tuple, told)) == [
        Decimal(format(number, "f")).as_tuple() for number in wanted
    ]
    full = [format(n, "f") for n in wanted]
    assert stored_bytes(back, 10**9) == len("[" + ",".join(full) + "]")


@pytest.mark.parametrize(
    "text", ["NaN", "[1e5, Infinity]", "[1.10,]", "{'a': 1.10}", "[01.10]", "[1.]", "[.50]", "[+1.50]",
             '["\x01", 1.10]', '["\\ud83d" "x"]', "1.10 1", "[1e5]]"],
)  # fmt: skip
def test_a_closer_look_is_as_strict(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever parser it comes from
        loads(text)
