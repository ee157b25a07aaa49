"""Filters cannot be used to find out, guess by guess, what is hidden."""

from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from graphql import GraphQLInputObjectType, get_named_type
from hypothesis import assume, given
from hypothesis import strategies as st

from db.commands.comparison import visibly_equal
from db.url_credentials import hide_credentials
from resolvers.errors import UnavailableError
from resolvers.redaction import REDACTED
from resolvers.viewer import Role
from schema.execution.models import Response
from schema.schema import core_schema
from tests.resolvers.roles.asking import OPERATOR, VIEWER, WRITER, Asking
from tests.resolvers.roles.secrets import (
    MESSAGE,
    SECRET,
    SHOWN_MESSAGE,
    SHOWN_URL,
    URL,
    secretive_job,
)
from tests.resolvers.roles.test_redaction import REDACTION, SECRET_KEYS, messages
from tests.support.effort import examples
from tests.support.ledger import insert, job

ROW, EVENTS = secretive_job()
TEXTS = [MESSAGE, "plain", "see https://h/a, me@x.com", f"{URL} and {URL}", None]
# What a guess could look like.
GUESSES: list[Any] = [
    {"password": SECRET},
    {"password": "wrong"},
    {"password": ""},
    {"password": {}},
    {"password": []},
    {"max_tokens": "4096"},
    {"max_tokens": [4096]},
    {"deep": [{"x": {"API-Key": [1]}}]},
    {"password": "[redacted]"},
    {"to": "me@example.com", "password": SECRET},
    {"accessToken": [SECRET]},
    {"accessToken": [[SECRET]]},
    {"accessToken": []},
    {"deep": [{"x": {"API-Key": {"id": 1}}}]},
    {"deep": [{"x": {"API-Key": {}}}]},
    [{"password": SECRET}],
    [[{"a": [{"Token": "1"}]}]],
    {"log": f"cannot reach {URL}\n, nor {URL}"},
    [URL],
    URL,
    {URL: 1},
    {'say "Authorization"': f"Bearer {SECRET}"},
]
LISTS = {
    "jobs": ("JobFilter", "jobs(filter: $f) { count { value } }"),
    "statusCounts": ("JobFilter", "statusCounts(filter: $f) { count { value } }"),
    "jobGroups": ("JobFilter", "jobGroups(by: [TYPE], filter: $f) { count }"),
    "timeline": (
        "JobFilter",
        'timeline(from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", bucket: DAY, filter: $f) { created }',
    ),
    "jobEvents": ("JobEventFilter", "jobEvents(filter: $f) { count { value } }"),
}


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    others = [
        job(n, status="failed", last_error_message=text, payload={"n": n}, type="other")
        for n, text in enumerate(TEXTS, 1)
    ]
    await insert(database_url, [ROW, *others], EVENTS)


def test_these_are_all_the_filters_that_compare_json_or_messages() -> None:
    """Whoever adds one thinks of what it tells, and adds it here."""
    compared = {
        f"{type_.name}.{name}"
        for type_ in core_schema.type_map.values()
        if isinstance(type_, GraphQLInputObjectType) and type_.name.endswith("Filter")
        for name, field in type_.fields.items()
        if get_named_type(field.type).name in ("JSON", "StringFilter") or name == "search"
    }
    names = {"type", "queue", "requestedBy", "idempotencyKey", "lastErrorCode", "worker"}
    names |= {"batch", "externalId"}
    assert compared == {f"JobFilter.{name}" for name in names} | {
        "JobFilter.payloadContains",
        "JobFilter.lastErrorMessage",
        "JobFilter.search",
        "JobEventFilter.detailContains",
    }


@pytest.mark.parametrize("role", [VIEWER, WRITER, OPERATOR])
@pytest.mark.parametrize("guess", GUESSES, ids=repr)
async def test_a_containment_of_what_is_hidden_is_refused(
    admin: Asking, role: Role, guess: Any
) -> None:
    for wrapped in (
        {"payloadContains": guess},
        {"not": {"payloadContains": guess}},
        {"or": [{"and": [{"not": {"payloadContains": guess}}]}, {}]},
        # Also where nothing could be told, for another condition is false.
        {"ids": [], "payloadContains": guess},
    ):
        await _is_refused(admin.as_(role), wrapped, {"job": wrapped})
    await _is_refused(admin.as_(role), None, {"detailContains": guess})


async def _is_refused(asked: Asking, of_jobs: Any, of_events: Any) -> None:
    for type_, field in LISTS.values():
        filter_ = of_jobs if type_ == "JobFilter" else of_events
        if filter_ is not None:
            with asked.recorded() as statements:
                code, message = await asked.error(
                    f"query ($f: {type_}) {{ {field} }}", {"f": filter_}
                )
            assert (code, statements) == ("FORBIDDEN", [])
            assert "ADMIN" in message


@pytest.mark.parametrize(
    "guess",
    [{"password": SECRET}, {"accessToken": [SECRET]}, {"log": f"cannot reach {URL}\n, nor {URL}"}],
    ids=repr,
)
async def test_an_administrator_may_ask(admin: Asking, guess: Any) -> None:
    query = "query ($f: JobFilter) { jobs(filter: $f) { count { value } } }"
    data = await admin.data(query, {"f": {"payloadContains": guess}})
    assert data["jobs"]["count"]["value"] == 1


@pytest.mark.parametrize("field", ["cancelJobs", "retryJobs"])
async def test_bulk_changes_are_refused_too(admin: Asking, field: str) -> None:
    query = f"mutation ($f: JobFilter!) {{ {field}(filter: $f) {{ changed matched {{ value }} }} }}"
    operator = admin.as_(OPERATOR)
    for filter_ in ({"payloadContains": {"password": SECRET}}, {"payloadContains": {"a": URL}}):
        assert (await operator.error(query, {"f": filter_}))[0] == "FORBIDDEN"
    filter_ = {"lastErrorMessage": {"contains": SECRET}}
    assert (await operator.data(query, {"f": filter_}))[field]["matched"]["value"] == 0


@pytest.mark.parametrize(
    ("field", "filter_"),
    [
        ("jobEvents", {"detailContains": {"password": SECRET}}),
        ("jobEvents", {"job": {"payloadContains": {"password": SECRET}}}),
        ("statusCounts", {"payloadContains": {"password": SECRET}}),
    ],
)
async def test_subscriptions_are_refused_too(admin: Asking, field: str, filter_: Any) -> None:
    type_ = "JobEventFilter" if field == "jobEvents" else "JobFilter"
    query = f"subscription ($f: {type_}) {{ {field}(filter: $f) {{ __typename }} }}"
    refused = await admin.as_(OPERATOR).subscribe(query, {"f": filter_})
    assert isinstance(refused, Response)
    assert refused.codes() == {"FORBIDDEN"}
    allowed = await admin.subscribe(query, {"f": filter_})
    assert not isinstance(allowed, Response)
    await allowed.aclose()


async def test_equal_filters_of_unequal_roles_are_counted_apart(admin: Asking) -> None:
    """Subscriptions share counts of equal filters: these only look equal."""
    query = f'subscription {{ statusCounts(filter: {{lastErrorMessage: {{contains: "{SECRET}"}}}}) {{ status count {{ value }} }} }}'
    totals = []
    for asked in (admin, admin.as_(VIEWER), admin):
        responses = await asked.subscribe(query)
        assert not isinstance(responses, Response)
        (response,) = await anext(responses)
        assert response.data is not None
        totals.append(sum(each["count"]["value"] for each in response.data["statusCounts"]))
        await responses.aclose()
    assert totals == [3, 0, 3]


async def found(asked: Asking, condition: dict[str, Any]) -> set[str]:
    query = "query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }"
    data = await asked.data(query, {"f": {"lastErrorMessage": condition}})
    return {node["id"] for node in data["jobs"]["nodes"]}


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        ({"contains": SECRET}, False),
        ({"contains": SECRET[:1]}, False),
        ({"containsIgnoreCase": SECRET.upper()}, False),
        ({"containsIgnoreCase": "REFUSED"}, True),
        ({"containsIgnoreCase": "[Redacted]@"}, True),
        ({"contains": "app:"}, False),
        ({"contains": "//a"}, False),
        ({"eq": MESSAGE}, False),
        ({"in": [MESSAGE, "x"]}, False),
        ({"startsWith": MESSAGE.partition(SECRET)[0]}, False),
        ({"notIn": [MESSAGE]}, True),
        ({"contains": "[redacted]@db.example"}, True),
        ({"contains": "refused"}, True),
        ({"eq": SHOWN_MESSAGE}, True),
        ({"in": [SHOWN_MESSAGE]}, True),
        ({"notIn": [SHOWN_MESSAGE]}, False),
        ({"startsWith": "connection to postgres://[red"}, True),
        ({"isNull": False}, True),
    ],
)
async def test_messages_are_compared_as_they_are_shown(
    admin: Asking, condition: dict[str, Any], is_found: bool
) -> None:
    for role in (VIEWER, WRITER, OPERATOR):
        assert (str(ROW["id"]) in await found(admin.as_(role), condition)) == is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [(SECRET, False), (SECRET[2:].upper(), False), ("app:", False), ("[redacted]@DB", True)],
)
async def test_messages_are_searched_as_they_are_shown(
    admin: Asking, text: str, is_found: bool
) -> None:
    query = "query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }"
    for role in (VIEWER, WRITER, OPERATOR):
        for wrapped in ({"search": text}, {"or": [{"and": [{"search": text}]}]}):
            data = await admin.as_(role).data(query, {"f": wrapped})
            ids = {node["id"] for node in data["jobs"]["nodes"]}
            assert (str(ROW["id"]) in ids) == is_found
    data = await admin.data(query, {"f": {"search": SECRET.upper()}})
    assert str(ROW["id"]) in {node["id"] for node in data["jobs"]["nodes"]}


conditions = st.one_of(
    st.tuples(st.sampled_from(["eq", "startsWith", "contains", "containsIgnoreCase"]), messages),
    st.tuples(st.sampled_from(["in", "notIn"]), st.lists(messages, max_size=3)),
).map(lambda pair: dict([pair]))


@examples(60)
@given(
    condition=conditions
    | st.builds(
        lambda operator, text, start, end: {operator: text[start : max(start, end)]},
        st.sampled_from(["eq", "startsWith", "contains", "containsIgnoreCase"]),
        st.sampled_from([text for text in TEXTS if text]),
        st.integers(0, 40),
        st.integers(0, 80),
    )
)
async def test_the_answer_depends_on_what_is_shown_alone(
    admin: Asking, condition: dict[str, Any]
) -> None:
    query = "{ jobs { nodes { id lastErrorMessage } } }"
    shown = (await admin.as_(VIEWER).data(query))["jobs"]["nodes"]
    met = {node["id"] for node in shown if _meets(node["lastErrorMessage"], condition)}
    assert await found(admin.as_(VIEWER), condition) == met


def _meets(text: str | None, condition: dict[str, Any]) -> bool:
    ((operator, wanted),) = condition.items()
    if text is None:
        return operator == "notIn"
    assert hide_credentials(text) == text
    return {
        "eq": lambda: text == wanted,
        "startsWith": lambda: text.startswith(wanted),
        "contains": lambda: wanted in text,
        "containsIgnoreCase": lambda: wanted.lower() in text.lower(),
        "in": lambda: text in wanted,
        "notIn": lambda: text not in wanted,
    }[operator]()


@pytest.mark.parametrize("key", SECRET_KEYS)
async def test_every_secret_key_is_refused_at_any_depth(admin: Asking, key: str) -> None:
    query = "query ($f: JobFilter) { jobs(filter: $f) { count { value } } }"
    asked = admin.as_(OPERATOR)
    for document in ({key: "1"}, [{key: {}}], {"a": [{"b": {key: []}}]}):
        assert (await asked.error(query, {"f": {"payloadContains": document}}))[0] == "FORBIDDEN"


async def test_secrets_in_the_query_itself_are_refused_as_those_in_variables(
    admin: Asking,
) -> None:
    literal = '{ jobs(filter: {payloadContains: {a: [{password: "x"}]}}) { count { value } } }'
    inner = (
        "query ($v: JSON) { jobs(filter: {payloadContains: {password: $v}}) { count { value } } }"
    )
    for role in (VIEWER, OPERATOR):
        assert (await admin.as_(role).error(literal))[0] == "FORBIDDEN"
        assert (await admin.as_(role).error(inner, {"v": SECRET}))[0] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"to": "me@example.com"}, 1),
        ({"deep": [{"x": {"size": 12.5}}]}, 1),
        ({"tokenizer": "cl100k"}, 1),
        ({"max_tokens": 4096}, 1),
        ({"max_tokens": 1}, 0),
        ({"cookies_enabled": True}, 1),
        ({"cookies_enabled": False}, 0),
        ({"Set-Cookie": None}, 1),
        # What is hidden is neither, as everybody reads.
        ({"password": 1}, 0),
        ({"password": None}, 0),
        ({"deep": [{"x": {"API-Key": 1}}]}, 0),
    ],
)
async def test_what_is_shown_can_be_asked_for(admin: Asking, document: Any, count: int) -> None:
    query = """query ($f: JobFilter, $e: JobEventFilter) {
      jobs(filter: $f) { count { value } } jobEvents(filter: $e) { count { value } } }"""
    given = {"f": {"payloadContains": document}, "e": {"detailContains": document}}
    for asked in (admin.as_(VIEWER), admin):
        data = await asked.data(query, given)
        assert data["jobs"]["count"]["value"] == count
        assert data["jobEvents"]["count"]["value"] == count * len(EVENTS)


def few(url: str) -> st.SearchStrategy[Any]:
    """Draw JSON of few values, so that many are alike."""
    return st.recursive(
        st.sampled_from([None, True, False, 0, 1, "", "x", REDACTED, URL, SHOWN_URL, {}, []]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["a", "tokens", "x", url]), inner, max_size=3)
        ),
        max_leaves=5,
    )


others: st.SearchStrategy[Any] = st.sampled_from(["", "x", REDACTED, [], {}, ["x"], {"x": 1}, [1]])


def exchanged(value: Any, other: Any) -> Any:
    """Put something else into the place of all that is hidden."""
    if isinstance(value, str):
        return value.replace(URL, URL.replace(SECRET, "other"))
    if isinstance(value, list):
        return [exchanged(item, other) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        exchanged(key, other): other
        if key == "tokens" and isinstance(item, str | list | dict)
        else exchanged(item, other)
        for key, item in value.items()
    }


@examples(500)
@given(value=few(URL), document=few(SHOWN_URL), other=others)
async def test_what_is_hidden_makes_no_difference_to_a_filter(
    postgres: asyncpg.Connection, value: Any, document: Any, other: Any
) -> None:
    assume(not REDACTION.affects(document))
    given = [orjson.dumps(each).decode() for each in (value, exchanged(value, other), document)]
    one, two = await postgres.fetchrow("SELECT $1::jsonb @> $3::jsonb, $2::jsonb @> $3", *given)
    assert one == two


CREATE = """mutation ($input: CreateJobInput!) { it: createJob(input: $input) { __typename
  ... on CreateJobPayload { created job { payload } }
  ... on IdempotencyConflict { holder: existing { payload } } } }"""
CREATE_MANY = """mutation ($input: [CreateJobInput!]!) { it: createJobs(input: $input) { __typename
  ... on CreateJobsPayload { created existing jobs { payload } }
  ... on IdempotencyConflict { holder: existing { payload } } } }"""


async def _repeat(asked: Asking, key: str, payload: Any, **others: Any) -> tuple[str, bool]:
    """Create a job of this key; get what it says to one, and to many at once."""
    one = {"type": "t", "idempotencyKey": key, "payload": payload, **others}
    alone = (await asked.data(CREATE, {"input": one}))["it"]
    together = (await asked.data(CREATE_MANY, {"input": [one]}))["it"]
    is_new = alone.get("created", False)
    if alone["__typename"] == "IdempotencyConflict":
        assert together == alone
    else:
        assert (together["created"], together["existing"]) == (0, 1)
    return alone["__typename"], is_new


GUESSED = {"to": "me@example.com", "password": SECRET, "log": f"nor {URL}", "max_tokens": 4096}


@pytest.mark.parametrize("role", [WRITER, OPERATOR])
@pytest.mark.parametrize(
    "guess",
    [
        GUESSED,
        {**GUESSED, "password": "wrong"},
        {**GUESSED, "password": ""},
        {**GUESSED, "password": REDACTED},
        {**GUESSED, "password": {"a": [1]}},
        {**GUESSED, "log": f"nor {URL.replace(SECRET, 'wrong')}"},
        {**GUESSED, "log": f"nor {SHOWN_URL}"},
    ],
    ids=repr,
)
async def test_a_key_confirms_no_guess(admin: Asking, role: Role, guess: Any) -> None:
    key = uuid4().hex
    await _repeat(admin, key, GUESSED)
    with admin.recorded() as statements:
        assert await _repeat(admin.as_(role), key, guess) == ("CreateJobPayload", False)
    with admin.recorded() as again:
        assert await _repeat(admin.as_(role), key, GUESSED) == ("CreateJobPayload", False)
    assert statements == again
    # Who sees it may compare it.
    same = ("CreateJobPayload" if guess == GUESSED else "IdempotencyConflict", False)
    assert await _repeat(admin, key, guess) == same


@pytest.mark.parametrize(
    "other",
    [
        {"payload": {**GUESSED, "to": "you@example.com"}},
        {"payload": {**GUESSED, "max_tokens": 1}},
        {"payload": {**GUESSED, "password": 1}},
        {"payload": {**GUESSED, "password": None}},
        {"payload": {**GUESSED, "log": "nor x://h"}},
        {"payload": {**GUESSED, "token": SECRET}},
        {"payload": {key: GUESSED[key] for key in ("to", "log", "max_tokens")}},
        {"payload": None},
        {"payload": GUESSED, "queue": "other"},
        {"payload": GUESSED, "priority": 1},
    ],
    ids=repr,
)
async def test_a_key_is_held_by_what_is_shown(admin: Asking, other: Any) -> None:
    key = uuid4().hex
    assert await _repeat(admin.as_(WRITER), key, GUESSED) == ("CreateJobPayload", True)
    for asked in (admin, admin.as_(WRITER)):
        assert await _repeat(asked, key, **other) == ("IdempotencyConflict", False)


@examples(60)
@given(value=few(URL), other=few(URL), instead=others)
async def test_what_is_hidden_makes_no_difference_to_a_key(
    admin: Asking, value: Any, other: Any, instead: Any
) -> None:
    """Neither the hidden of the job, nor that of the guess."""
    writer = admin.as_(WRITER)
    said = []
    for held in (value, exchanged(value, instead)):
        key = uuid4().hex
        assert await _repeat(writer, key, held) == ("CreateJobPayload", True)
        assert await _repeat(writer, key, held) == ("CreateJobPayload", False)
        said += [await _repeat(writer, key, each) for each in (other, exchanged(other, instead))]
    assert len(set(said)) == 1


async def test_a_job_that_was_deleted_before_it_was_compared(admin: Asking) -> None:
    """The key is free then: the call may be repeated."""
    async with admin.as_(WRITER).context() as context:
        with pytest.raises(UnavailableError):
            async with context.write() as (session, org_id):
                await visibly_equal(session, org_id, [(uuid4(), GUESSED)], REDACTION.json)


async def test_each_of_a_batch_is_compared(admin: Asking) -> None:
    batch = [
        {"type": "t", "idempotencyKey": uuid4().hex, "payload": {"n": n, "password": f"p{n}"}}
        for n in range(25)
    ]
    writer = admin.as_(WRITER)
    assert (await writer.data(CREATE_MANY, {"input": batch}))["it"]["created"] == 25
    wrong = [{**each, "payload": {**each["payload"], "password": "p"}} for each in batch]
    for again in (batch, wrong, batch[::-1], [batch[3], *wrong[3:5]]):
        answer = (await writer.data(CREATE_MANY, {"input": again}))["it"]
        assert (answer["created"], answer["existing"]) == (0, len(again))
    for place in (0, 9, 10, 24):
        other = [
            {**each, "payload": {"n": -1}} if n == place else each for n, each in enumerate(batch)
        ]
        answer = (await writer.data(CREATE_MANY, {"input": other}))["it"]
        assert answer["holder"]["payload"] == {"n": place, "password": REDACTED}
