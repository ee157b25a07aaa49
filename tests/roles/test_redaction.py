"""What is hidden in JSON and in messages: only that, and all of it, in PostgreSQL's own text."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.credentials import PATTERN, REPLACEMENT, hide_credentials
from resolvers.redaction import DEFAULT_KEYS, HIDDEN, Redaction
from server.settings import Settings, SettingsError
from tests.effort import examples
from tests.properties.shapes import texts
from tests.roles.secrets import DOCUMENT, SECRET, SHOWN_DOCUMENT

REDACTION = Redaction()
SECRET_KEYS = [
    "password",
    "PASSWORD",
    "userPassword",
    "pass-word",
    "db.password_2",
    "passwd",
    "pass",
    "pwd",
    "auth",
    "token",
    "refresh_token",
    "accessTokens",
    "client secret",
    "Authorization",
    "Proxy-Authorization",
    "api_key",
    "X-Api-Key",
    "apikey",
    "AWS_SECRET_ACCESS_KEY",
    "private_key",
    "Cookie",
    "set-cookie",
    "credentials",
]
PLAIN_KEYS = ["user", "passed", "author", "key", "monkey", "a", "", "tok", "bear", "private"]
keys = st.sampled_from(SECRET_KEYS + PLAIN_KEYS) | texts
parts = st.sampled_from(
    [
        "://",
        "@",
        ":",
        "/",
        "?",
        "#",
        " ",
        "\n",
        "\u00a0",
        "\u0085",
        "p",
        "8080",
        "1",
        "http",
        "\\",
        '"',
        "\U0001f680",
    ]
)
messages = st.lists(parts, max_size=14).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | messages | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module")
async def postgres(cluster_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster_url)
    yield connection
    await connection.close()


def hidden(value: Any) -> Any:
    """What is shown of a JSON value, worked out on the value itself."""
    if isinstance(value, str):
        return hide_credentials(value)
    if isinstance(value, list):
        return [hidden(item) for item in value]
    if isinstance(value, dict):
        return {
            hide_credentials(key): HIDDEN if REDACTION.is_secret(key) else hidden(item)
            for key, item in value.items()
        }
    return value


def shown(text: str) -> str:
    value = REDACTION.json(orjson.Fragment(text))
    return orjson.dumps(value).decode()


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_these_keys_are_secret(key: str) -> None:
    assert REDACTION.is_secret(key)
    for value in (SECRET, [SECRET], {"a": {"b": [SECRET, "]", "}"]}}, 12345, None, True, -1.5e300):
        text = orjson.dumps({"a": [{key: value}], "z": 1}).decode()
        assert orjson.loads(shown(text)) == {"a": [{key: HIDDEN}], "z": 1}


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_these_keys_are_not(key: str) -> None:
    text = f'{{"{key}": "x"}}'
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgres://u:p@h/db", "postgres://[redacted]@h/db"),
        (
            "at redis://:p@h:6379/0, amqp://u:p@h",
            "at redis://[redacted]@h:6379/0, amqp://[redacted]@h",
        ),
        ("https://ghp_abc@github.com/a/b", "https://[redacted]@github.com/a/b"),
        ("postgres://u:p@ss@h", "postgres://[redacted]@h"),
        ("postgres://u:p/a?s#s@h/db", "postgres://[redacted]@h/db"),
        ("(mongodb+srv://u:p%40@h)", "(mongodb+srv://[redacted]@h)"),
        (f"x://u:{'p' * 5000}@h", "x://[redacted]@h"),
        ("https://h/path?mail=me@x.com", "https://h/path?mail=me@x.com"),
        ("http://localhost:8080/@scope/me@x", "http://localhost:8080/@scope/me@x"),
        ("https://h/a me@x.com u:p@h", "https://h/a me@x.com u:p@h"),
        ("http://u:p @h", "http://u:p @h"),
        ("://", "://"),
    ],
)
def test_credentials_in_urls_are_hidden(text: str, hidden: str) -> None:
    assert hide_credentials(text) == hidden
    assert hide_credentials(hidden) == hidden
    assert orjson.loads(shown(orjson.dumps([text]).decode())) == [hidden]
    assert REDACTION.touches({"a": [text]}) == (text != hidden)


async def test_everything_else_stays_as_it_was_written(postgres: asyncpg.Connection) -> None:
    text = (
        '{"a": 1.10, "b": 1e400, "c": 12345678901234567890123, "token": 1.10, "d": [0.0, "x"], '
        '"e": {"pass": {"deep": ' + "[" * 900 + "]" * 900 + '}, "f": "\\u00e9"}}'
    )
    written = await postgres.fetchval("SELECT $1::jsonb::text", text)
    before, after = orjson.Fragment(written), shown(written)
    assert '"a": 1.10, ' in after
    assert '"c": 12345678901234567890123, ' in after
    assert '"e": {"f": "\u00e9", "pass": "[redacted]"}' in after
    assert '"token": "[redacted]"' in after
    assert "[[" not in after
    assert REDACTION.json(before) is not before
    plain = orjson.Fragment('{"a": 1.10, "passed": [1e400]}')
    assert REDACTION.json(plain) is plain


@pytest.mark.parametrize(
    "text",
    [
        r'{"pass\u0077ord": "hunter2"}',
        r'{"\u0070\u0061\u0073\u0073word": {"a": "hunter2"}}',
        r'[{"API\u005fKEY" : ["hunter2"]}]',
        r'{"a": "x\u003a\u002f\u002fu:hunter2\u0040h"}',
        r'{"a": "x:\/\/u:hunter2@h"}',
        '{  "token"  \n:\n  "hunter2"  }',
        r'{"say \"hi\" \\ password": "hunter2"}',
        '{"password": "a", "password": "hunter2"}',
    ],
)
async def test_no_way_to_write_it_escapes(postgres: asyncpg.Connection, text: str) -> None:
    written = await postgres.fetchval("SELECT $1::jsonb::text", text)
    assert SECRET in written
    assert SECRET not in shown(written)
    orjson.loads(shown(written))


@examples(300)
@given(value=values)
async def test_the_text_is_redacted_as_its_value_would_be(
    postgres: asyncpg.Connection, value: Any
) -> None:
    sound = orjson.dumps(value).decode().replace("\\u0000", "")
    written = await postgres.fetchval("SELECT $1::jsonb::text", sound)
    before, after = orjson.loads(written), orjson.loads(shown(written))
    assert after == hidden(before)
    # What is not changed by it is all that a filter may name.
    assert REDACTION.touches(before) or after == before


@examples(300)
@given(text=messages)
async def test_the_database_hides_the_same(postgres: asyncpg.Connection, text: str) -> None:
    replaced = await postgres.fetchval(
        "SELECT regexp_replace($1, $2, $3, 'g')", text, PATTERN, REPLACEMENT
    )
    assert replaced == hide_credentials(text)


def test_the_document_of_the_tests() -> None:
    assert (
        orjson.loads(shown(orjson.dumps(DOCUMENT).decode())) == SHOWN_DOCUMENT == hidden(DOCUMENT)
    )


@pytest.mark.parametrize(
    ("given_keys", "secret", "plain"),
    [
        ("ssn", ["ssn", "SSN", "s-s n"], ["my_ssn", "password"]),
        ("Pass_Word, *iban*", ["password", "PASS-WORD", "my IBAN"], ["passwords", "iba"]),
        ("a*b", ["ab", "A--b", "a\nxb"], ["abc", "ba"]),
        ("*", ["anything", "", "\u00e9"], []),
        ("stra\u00dfe", ["stra\u00dfe", "Stra\u00dfe"], ["strasse"]),
    ],
)
def test_the_keys_are_a_setting(given_keys: str, secret: list[str], plain: list[str]) -> None:
    redaction = Redaction(Settings.read({"JOBLENS_REDACT_KEYS": given_keys}).redact_keys)
    for keys, is_secret in ((secret, True), (plain, False)):
        for key in keys:
            text = orjson.Fragment(orjson.dumps({key: 1}))
            assert redaction.is_secret(key) == is_secret
            assert (redaction.json(text) is not text) == is_secret


@pytest.mark.parametrize("keys", [",", "a,,b", "-", 'say "x"', "a\\b", "a\nb"])
def test_keys_that_cannot_be_used_are_refused(keys: str) -> None:
    with pytest.raises(SettingsError, match="JOBLENS_REDACT_KEYS"):
        Settings.read({"JOBLENS_REDACT_KEYS": keys})


def test_without_the_setting_it_is_the_default() -> None:
    assert Settings.read({}).redact_keys == DEFAULT_KEYS
