"""Bad input: each kind has its stable code, its words, and leaves the rest of the answer alone."""

import asyncio
import re
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from resolvers.errors import ErrorCode
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving

UNKNOWN = "00000000-0000-7000-8000-00000000ffff"
ONE = job(1, type="one", payload={"a": 1})


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [ONE, job(2), job(3)])


async def one_error(service: Service, query: str, variables: dict[str, Any] | None = None) -> Any:
    (error,) = await service.errors(query, variables)
    return error


BAD_INPUT = {
    "malformed id": '{ job(id: "nonsense") { id } }',
    "id of an event": '{ job(id: "00000000-0000-7000-8000-00000000ffff:1") { id } }',
    "malformed node id": '{ node(id: "x:y") { id } }',
    "event number zero": f'{{ node(id: "{UNKNOWN}:0") {{ id }} }}',
    "event number past 32 bits": f'{{ node(id: "{UNKNOWN}:2147483648") {{ id }} }}',
    "malformed id in a filter": '{ jobs(filter: {ids: ["x"]}) { nodes { id } } }',
    "malformed id in an event filter": '{ jobEvents(filter: {jobIds: ["x"]}) { nodes { id } } }',
    "first with last": "{ jobs(first: 1, last: 1) { nodes { id } } }",
    "first with before": '{ jobs(first: 1, before: "x") { nodes { id } } }',
    "after with last": '{ jobs(after: "x", last: 1) { nodes { id } } }',
    "negative page": "{ jobs(first: -1) { nodes { id } } }",
    "page too large": "{ jobs(last: 201) { nodes { id } } }",
    "negative page of events": "{ jobs { nodes { events(first: -1) { nodes { id } } } } }",
    "negative atMost": "{ statusCounts(atMost: -1) { status } }",
    "atMost past a count": "{ jobs { count(atMost: 2147483647) { value } } }",
    "from behind until": '{ timeline(from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z", bucket: DAY) { start } }',
    "from equal to until": '{ timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-01T00:00:00Z", bucket: DAY) { start } }',
    "too many buckets": '{ timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: MINUTE) { start } }',
    "all of time": '{ timeline(from: "0001-01-01T00:00:00Z", until: "9999-12-31T23:59:59Z", bucket: WEEK) { start } }',
    "no dimension": "{ jobGroups(by: []) { count } }",
    "too many groups": "{ jobGroups(by: [TYPE], first: 201) { count } }",
    "negative duration": "{ jobs(filter: {waitingLongerThan: -1}) { nodes { id } } }",
    "NUL in a filter": '{ jobs(filter: {type: {eq: "a\\u0000b"}}) { nodes { id } } }',
    "NUL in a list": '{ jobs(filter: {type: {in: ["a\\u0000b"]}}) { nodes { id } } }',
    "NUL in JSON": '{ jobs(filter: {payloadContains: {a: "\\u0000"}}) { nodes { id } } }',
    "number past 64 bits": "{ jobs(filter: {payloadContains: {a: 18446744073709551616}}) { nodes { id } } }",
    "number past doubles": "{ jobs(filter: {payloadContains: {a: 1e999}}) { nodes { id } } }",
    "JSON too deep": "{ jobs(filter: {payloadContains: "
    + "[" * 101
    + "]" * 101
    + "}) { nodes { id } } }",
    "year past 9999": '{ jobs(filter: {createdAt: {gte: "10000-01-01T00:00:00Z"}}) { nodes { id } } }',
    "year 0": '{ jobs(filter: {createdAt: {gte: "0000-01-01T00:00:00Z"}}) { nodes { id } } }',
    "past 9999 in UTC": '{ jobs(filter: {createdAt: {gte: "9999-12-31T23:59:59-01:00"}}) { nodes { id } } }',
    "time without offset": '{ jobs(filter: {createdAt: {gte: "2026-01-01T00:00:00"}}) { nodes { id } } }',
    "no such day": '{ jobs(filter: {createdAt: {gte: "2026-02-30T00:00:00Z"}}) { nodes { id } } }',
    "time as a number": "{ jobs(filter: {createdAt: {gte: 5}}) { nodes { id } } }",
}


@pytest.mark.parametrize("name", BAD_INPUT)
async def test_bad_input(service: Service, name: str) -> None:
    error = await one_error(service, BAD_INPUT[name])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"]
    assert "Traceback" not in error["message"]


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ("$v: Int", "ten"),
        ("$v: Int", 2**31),
        ("$v: Int", 1.5),
        ("$v: [Int!]!", [1, None]),
        ("$v: JobFilter", {"nope": 1}),
        ("$v: JobFilter", {"status": ["LOST"]}),
        ("$v: JobFilter", {"createdAt": {"gte": "yesterday"}}),
        ("$v: JSON!", None),
    ],
)
async def test_variables_of_a_wrong_type(service: Service, declaration: str, value: Any) -> None:
    name = declaration.removeprefix("$v: ").strip("[]!")
    use = {
        "Int": "jobs(filter: {priority: {in: [$v]}})"
        if "[" not in declaration
        else "jobs(filter: {priority: {in: $v}})",
        "JobFilter": "jobs(filter: $v)",
        "JSON": "jobs(filter: {payloadContains: $v})",
    }[name]
    use = use.replace("in: [$v]", "eq: $v")
    response = await service.post(
        f"query ({declaration}) {{ {use} {{ nodes {{ id }} }} }}", {"v": value}
    )
    assert response.status_code == 400
    body = response.json()
    assert "data" not in body
    assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}


NULL_AFTER_ALL = {
    'query ($x: ID = "a") { job(id: $x) { id } }': {"x": None},
    "query ($x: OrderDirection = ASC) { jobs(orderBy: {direction: $x}) { nodes { id } } }": {
        "x": None
    },
    "query ($x: [JobDimension!] = [TYPE]) { jobGroups(by: $x) { count } }": {"x": None},
    "query ($x: Boolean = true) { jobs { nodes { id type @skip(if: $x) } } }": {"x": None},
}


@pytest.mark.parametrize("query", NULL_AFTER_ALL)
async def test_a_null_that_only_the_run_meets(service: Service, query: str) -> None:
    """A variable with a default may stand where null may not, and still be given null."""
    errors = await service.errors(query, NULL_AFTER_ALL[query])
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}


async def test_a_variable_left_out_of_json(service: Service) -> None:
    query = "query ($x: Int) { jobs(filter: {payloadContains: {a: 1, b: $x}}) { nodes { type } } }"
    assert await service.query(query, {}) == {"jobs": {"nodes": [{"type": "one"}]}}
    assert await service.query(query, {"x": 2}) == {"jobs": {"nodes": []}}


def nested(levels: int, **inner: Any) -> dict[str, Any]:
    tree: dict[str, Any] = inner
    for _ in range(levels - 1):
        tree = {"type": {"contains": "o"}, "not": tree}
    return tree


async def test_filters_have_an_end(service: Service) -> None:
    query = "query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }"
    await service.query(query, {"f": nested(50)})
    await service.query(query, {"f": {"or": [{"priority": {"eq": n}} for n in range(499)]}})
    for too_much in (nested(51), nested(85), nested(150), {"or": [{}] * 500}):
        error = await one_error(service, query, {"f": too_much})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_mistake_spares_its_siblings_connection(service: Service) -> None:
    """GraphQL cancels what runs beside a failed field; the statement is finished all the same."""
    mistake = """{
      jobs { nodes { events(first: -1) { nodes { id } } attempts { number } } }
      statusCounts { status } jobGroups(by: [TYPE]) { count wait { p50 } }
    }"""
    opened: list[object] = []

    def on_connect(*args: object) -> None:
        opened.append(args)

    await service.query("{ jobs { nodes { id } } }")
    event.listen(service.engine.sync_engine, "connect", on_connect)
    for _ in range(20):
        response = await service.post(mistake)
        assert response.status_code == 200
        assert {e["extensions"]["code"] for e in response.json()["errors"]} == {"BAD_USER_INPUT"}
    event.remove(service.engine.sync_engine, "connect", on_connect)
    assert not opened


async def test_connections_that_are_killed(service: Service, database_url: str) -> None:
    """Whoever loses a connection is told so, or not at all; nobody sees what is behind it."""
    killer = await asyncpg.connect(database_url)
    for _ in range(10):
        asked = asyncio.gather(
            *(service.post("{ jobs { nodes { attempts { number } } } }") for _ in range(10))
        )
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'joblens' AND datname = current_database()"
        )
        for response in await asked:
            codes = {e["extensions"]["code"] for e in response.json().get("errors", [])}
            assert (response.status_code, codes) in ((200, set()), (503, {"UNAVAILABLE"}))
    await killer.close()
    await service.query("{ jobs { nodes { id } } }")


async def test_json_in_a_variable_is_checked_as_in_a_literal(service: Service) -> None:
    query = "query ($j: JSON) { jobs(filter: {payloadContains: $j}) { nodes { id } } }"
    deep: Any = 1
    for _ in range(101):
        deep = [deep]
    for value in ({"a": "\0"}, {"\0": 1}, deep):
        error = await one_error(service, query, {"j": value})
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_a_missing_variable(service: Service) -> None:
    error = await one_error(service, "query ($id: ID!) { job(id: $id) { id } }", {})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "cursor",
    ["x", "%%%", "WzFd", "bnVsbA", "W10", "é", "a" * 10_000, "WyJDUkVBVEVEX0FUOkRFU0MiXQ"],
)
@pytest.mark.parametrize("argument", ["after", "before"])
async def test_garbled_cursors(service: Service, cursor: str, argument: str) -> None:
    query = f"query ($c: String) {{ jobs({argument}: $c) {{ nodes {{ id }} }} }}"
    error = await one_error(service, query, {"c": cursor})
    assert error["extensions"] == {"code": "INVALID_CURSOR"}
    assert argument in error["message"]


async def test_an_empty_cursor_is_none(service: Service) -> None:
    """Many clients send an empty text where they have no cursor yet."""
    query = """query ($c: String) {
      after: jobs(after: $c) { nodes { id } } both: jobs(first: 1, after: $c, before: $c) { nodes { id } }
      before: jobs(last: 1, before: $c, after: $c) { nodes { id } }
      alone: jobs(before: $c) { nodes { events(after: $c, before: $c) { nodes { id } } id } }
      events: jobEvents(after: $c) { nodes { id } }
    }"""
    assert await service.query(query, {"c": ""}) == await service.query(query, {"c": None})


async def test_a_cursor_of_another_order(service: Service) -> None:
    data = await service.query(
        "{ jobs(first: 1) { pageInfo { endCursor } } jobEvents { nodes { id } } }"
    )
    cursor = {"c": data["jobs"]["pageInfo"]["endCursor"]}
    others = [
        "jobs(orderBy: {direction: ASC}, after: $c)",
        "jobs(orderBy: {field: PRIORITY}, after: $c)",
        "jobEvents(after: $c)",
    ]
    for other in others:
        error = await one_error(
            service, f"query ($c: String) {{ {other} {{ nodes {{ id }} }} }}", cursor
        )
        assert error["extensions"] == {"code": "INVALID_CURSOR"}
    query = "query ($c: String) { jobs(first: 1) { nodes { events(after: $c) { nodes { id } } } } }"
    assert (await one_error(service, query, cursor))["extensions"] == {"code": "INVALID_CURSOR"}


@pytest.mark.parametrize(
    ("query", "variables", "words"),
    [
        ("query ($v: Int) { jobs(first: $v) { __typename } }", {"v": True}, "value: true"),
        ("query ($v: Int) { jobs(first: $v) { __typename } }", {"v": [None, False]}, "[null,false]"),
        ("query ($v: ID!) { job(id: $v) { id } }", {"v": None}, "not to be null."),
        ("query ($v: [ID!]!) { nodes(ids: $v) { id } }", {"v": [None]}, "not to be null."),
        ("query ($v: JobFilter) { jobs(filter: $v) { __typename } }", {"v": {"x": None}}, '{"x":null}'),
        ("query ($v: JobFilter) { jobs(filter: $v) { __typename } }", {"v": {"status": [True]}}, "value: true"),
        ("query ($v: JobFilter) { jobs(filter: $v) { __typename } }", {"v": {"createdAt": {"gte": True}}}, "found: true"),
        ("{ job(id: null) { id } }", {}, "not to be null."),
        ("{ jobs(filter: {and: [null]}) { __typename } }", {}, "not to be null."),
        ("{ jobs(first: true) { __typename } }", {}, "value: true"),
    ],
)  # fmt: skip
async def test_values_are_written_as_in_graphql(
    service: Service, query: str, variables: dict[str, Any], words: str
) -> None:
    (error,) = await service.errors(query, variables)
    assert words in error["message"]
    assert not {"None", "True", "False"} & set(re.findall(r"\w+", error["message"]))


LONG = "x" * 60_000


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (f"{{ {LONG} }}", {}),
        (f"{{ jobs({LONG}: 1) {{ __typename }} }}", {}),
        (f"{{ jobs(filter: {{{LONG}: 1}}) {{ __typename }} }}", {}),
        (f"{{ jobs(filter: {{status: [{LONG}]}}) {{ __typename }} }}", {}),
        (f"{{ jobs(first: {'9' * 60_000}) {{ __typename }} }}", {}),
        (f'{{ jobs(first: "{LONG}") {{ __typename }} }}', {}),
        (f"fragment {LONG} on Job {{ id }}", {}),
        (f"{{ ... on {LONG} {{ id }} }}", {}),
        (f"query ({', '.join(f'${LONG[:2_000]}{n}: Int' for n in range(30))}) {{ __typename }}", {}),
        (f"{{ jobs {{ nodes {{ {' '.join(f'{LONG[:2_000]}{n}' for n in range(30))} }} }} }}", {}),
        (f"{{ __typename @{LONG} }}", {}),
        (f'{{ __typename "{LONG}" }}', {}),
        (f"{{ {LONG}: jobs(first: 200) {{ nodes {{ events(first: 200) {{ nodes {{ id }} }} }} }} }}", {}),
        ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {LONG: 1}}),
        ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {"status": [LONG]}}),
        ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {"createdAt": {"gte": LONG}}}),
        ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {f"{LONG[:2_000]}{n}": n for n in range(30)}}),
        ("query ($v: Int) { jobs(first: $v) { __typename } }", {"v": [[LONG]]}),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
async def test_messages_are_short(service: Service, query: str, variables: dict[str, Any]) -> None:
    """Whatever a client wrote, and however much of it."""
    response = await service.post(query, variables)
    messages = [error["message"] for error in response.json()["errors"]]
    assert messages
    assert max(map(len, messages)) <= 1_000
    assert len(response.content) < 60_000


async def test_an_unknown_id_is_null(service: Service) -> None:
    query = f'{{ job(id: "{UNKNOWN}") {{ id }} node(id: "{UNKNOWN}:3") {{ id }} }}'
    assert await service.query(query) == {"job": None, "node": None}


async def test_only_the_malformed_place_of_nodes_is_null(service: Service) -> None:
    ids = [str(ONE["id"]), "nonsense", UNKNOWN, str(ONE["id"]).upper()]
    response = await service.post("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})
    body = response.json()
    here = {"id": str(ONE["id"])}
    assert body["data"]["nodes"] == [here, None, None, here]
    assert [error["path"] for error in body["errors"]] == [["nodes", 1]]
    assert body["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_nodes_takes_200_ids(service: Service) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert len((await service.query(query, {"ids": [UNKNOWN] * 200}))["nodes"]) == 200
    error = await one_error(service, query, {"ids": [UNKNOWN] * 201})
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_an_error_leaves_nullable_siblings_alone(service: Service) -> None:
    response = await service.post(
        f'{{ bad: job(id: "x") {{ id }} good: job(id: "{ONE["id"]}") {{ type }} }}'
    )
    assert response.status_code == 200
    assert response.json()["data"] == {"bad": None, "good": {"type": "one"}}


async def test_absurdly_long_waits_match_nothing(service: Service) -> None:
    query = "{ jobs(filter: {waitingLongerThan: 1e300}) { nodes { id } } }"
    assert await service.query(query) == {"jobs": {"nodes": []}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "BAD_REQUEST"),
        ("{ " + "a { " * 5_000 + "}" * 5_000 + " }", "GRAPHQL_PARSE_FAILED"),
        (
            "{ jobs(filter: {payloadContains: "
            + "[" * 20_000
            + "]" * 20_000
            + "}) { nodes { id } } }",
            "GRAPHQL_PARSE_FAILED",
        ),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ jobs }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ jobs(first: "1") { nodes { id } } }', "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment F on Job { id }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_documents_that_cannot_run(service: Service, query: str, code: str) -> None:
    response = await service.post(query)
    assert response.status_code == 400
    body = response.json()
    assert "data" not in body
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


async def test_operations_are_chosen_by_name(service: Service) -> None:
    document = "query A { a: __typename } query B { b: __typename }"

    async def run(name: Any) -> Any:
        body = {"query": document, "operationName": name}
        return (await service.client.post("/graphql", json=body)).json()

    assert (await run("B"))["data"] == {"b": "Query"}
    assert (await run("C"))["errors"][0]["extensions"] == {"code": "OPERATION_RESOLUTION_FAILURE"}
    assert (await run(None))["errors"][0]["extensions"] == {"code": "OPERATION_RESOLUTION_FAILURE"}


async def test_a_statement_that_takes_too_long(database_url: str) -> None:
    await insert(database_url, [job(n, last_error_message="x" * 300) for n in range(10, 3_000)])
    async with serving(database_url, statement_timeout_seconds="0.001") as service:
        slow = "{ jobGroups(by: [TYPE, REQUESTED_BY]) { count wait { p50 } run { p50 } } }"
        response = await service.post(slow)
        assert response.status_code == 200
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["TIMEOUT"]
        both = f'{{ a: job(id: "{ONE["id"]}") {{ events {{ nodes {{ id }} }} }} viewer {{ subject }} }}'
        assert (await service.post(both)).json()["data"]["viewer"]


SCANS = {
    'jobs(filter: {lastErrorMessage: {contains: "nowhere"}}) { nodes { id } }': "createdAt",
    'jobs(filter: {search: "nowhere"}) { count { value } }': "createdAt",
    'statusCounts(filter: {not: {search: "nowhere"}}) { count { value } }': "createdAt",
    "jobGroups(by: [TYPE], filter: {runSeconds: {gte: 1e9}}) { count }": "createdAt",
    "jobEvents(filter: {detailContains: {n: 1}}) { nodes { id } }": "ts",
}


async def test_a_filter_that_no_index_answers(database_url: str) -> None:
    rows = [job(n, last_error_message="x" * 300) for n in range(3_000, 9_000)]
    await insert(database_url, rows, [each for row in rows for each in events(row, "queued")])
    async with serving(database_url, scan_timeout_seconds="0.001") as service:
        for asked, filters in SCANS.items():
            (error,) = await service.errors(f"{{ {asked} }}")
            assert error["extensions"]["code"] == "SCAN_TIMEOUT", asked
            assert error["extensions"]["addFilters"][0] == filters
            assert filters in error["message"]
        # The time of other statements is not cut.
        counts = await service.query("{ jobGroups(by: [TYPE]) { count } }")
        assert counts["jobGroups"][0]["count"] >= len(rows)


async def test_an_unreachable_database() -> None:
    nowhere = "postgresql://nobody@/nothing?host=/nonexistent-joblens"
    async with serving(nowhere) as service:
        response = await service.post("{ jobs { nodes { id } } }")
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
        partly = await service.post('{ viewer { subject } job(id: "' + UNKNOWN + '") { id } }')
        assert partly.status_code == 200
        assert partly.json()["data"] == {"viewer": {"subject": "anonymous"}, "job": None}
        assert (await service.client.get("/healthz")).status_code == 200
        assert (await service.client.get("/readyz")).status_code == 503


async def test_the_unexpected_is_masked_and_logged(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret /path SELECT 1")

    monkeypatch.setattr("resolvers.jobs.queries.list_jobs", broken)
    response = await service.post("{ jobs { nodes { id } } }")
    assert response.json()["errors"][0]["extensions"] == {"code": ErrorCode.INTERNAL_SERVER_ERROR}
    assert "secret" not in response.text
    request_id = response.headers["x-request-id"]
    logged = [str(record.msg) for record in caplog.records if request_id in str(record.msg)]
    assert any("secret /path SELECT 1" in line for line in logged)
