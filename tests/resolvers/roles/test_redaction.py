"""What is hidden in JSON and in messages: only that, and all of it, in PostgreSQL's own text."""

import re
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.url_credentials import PATTERN, REPLACEMENT, hide_credentials
from resolvers.redaction import REDACTED, Redaction
from resolvers.secret_keys import DEFAULT_KEYS
from server.settings import Settings, SettingsError
from tests.properties.shapes import texts
from tests.resolvers.roles.secrets import DOCUMENT, SECRET, SHOWN_DOCUMENT
from tests.support.effort import examples

REDACTION = Redaction()
_SECRET = """
    password PASSWORD userPassword userPassword2 pass-word PassWord db.password_2 passwords
    pgpassword PGPASSWORD password_hash passwordhash dbpasswd passwd passphrase pass smtp_pass
    pwd MYSQL_PWD dbpwd auth basicAuth authTokenV2 token tokens refresh_token accessToken
    access_token ACCESS-TOKEN accessTokens accesstoken oauth2Token csrfmiddlewaretoken XSRFToken
    APItoken client.secret clientsecret secret_value secretKey secretkey Authorization
    Proxy-Authorization HTTP_AUTHORIZATION bearer api_key X-Api-Key x.api.key api/key apiKey
    APIKey APIKeys apikey headers[apiKey] AWS_SECRET_ACCESS_KEY AWSAccessKeyId accesskey
    private_key Cookie set-cookie Set-Cookie sessioncookie credentials connectionString $token
"""
SECRET_KEYS = [
    *_SECRET.split(),
    "client secret",
    'say "token"',
    "a\nb token",
    "user\u00a0token",
    "\u00c9tat du token",
    "\u0442\u043e\u043a\u0435\u043d_token",
    "\u4ee4\u724ctoken",
]
_PLAIN = """
    user passed passenger passport passive bypass compass author authors authorship authority
    authentic unauthorized preauthorization tokenizer tokenization secretary secretariat
    secretion cookiecutter cookiebot passwordless credentialed bearings forbearance
    access_keywords apiKeyboard key monkey keyPrivate a tok bear private keyApi
    string_connection
"""
PLAIN_KEYS = [
    *_PLAIN.split(),
    "",
    "\u0442\u043e\u043a\u0435\u043d",
    "cooki\u00e9",
    "token\u00e9",
]
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


def hidden(value: Any) -> Any:
    """What is shown of a JSON value, worked out on the value itself."""
    if isinstance(value, str):
        return hide_credentials(value)
    if isinstance(value, list):
        return [hidden(item) for item in value]
    if isinstance(value, dict):
        return {
            hide_credentials(key): REDACTED
            if REDACTION.is_secret(key) and isinstance(item, str | list | dict)
            else hidden(item)
            for key, item in value.items()
        }
    return value


def shown(text: str) -> str:
    redacted = REDACTION.json(text)
    assert redacted is not None
    return redacted


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_these_keys_are_secret(key: str) -> None:
    assert REDACTION.is_secret(key)
    for value in (
        SECRET,
        "",
        "1234",
        [SECRET],
        {"a": {"b": [SECRET, "]", "}"]}},
        [1],
        {},
        {"a": 1},
    ):
        text = orjson.dumps({"a": [{key: value}], "z": 1}).decode()
        assert orjson.loads(shown(text)) == {"a": [{key: REDACTED}], "z": 1}
        assert REDACTION.affects({"a": [{key: value}]})


@pytest.mark.parametrize("value", ["12345", "null", "true", "false", "-1.5e+300", "1.10", "0"])
@pytest.mark.parametrize("key", ["password", "max_tokens", "cookies_enabled", "Set-Cookie"])
def test_numbers_true_false_and_null_are_no_secrets(key: str, value: str) -> None:
    text = f'{{"a": [{{"{key}": {value}}}, {{"{key}":{value}, "b": "c"}}]}}'
    assert shown(text) == text
    assert not REDACTION.affects(orjson.loads(text))
    within = f'{{"secret": {text}, "pass": [{value}]}}'
    assert orjson.loads(shown(within)) == {"secret": REDACTED, "pass": REDACTED}


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
    assert REDACTION.affects({"a": [text]}) == (text != hidden)


async def test_everything_else_stays_as_it_was_written(postgres: asyncpg.Connection) -> None:
    text = (
        '{"a": 1.10, "b": 1e400, "c": 12345678901234567890123, "token": 1.10, "d": [0.0, "x"], '
        '"e": {"pass": {"deep": ' + "[" * 900 + "]" * 900 + '}, "f": "\\u00e9"}}'
    )
    written = await postgres.fetchval("SELECT $1::jsonb::text", text)
    before, after = written, shown(written)
    assert '"a": 1.10, ' in after
    assert '"c": 12345678901234567890123, ' in after
    assert '"e": {"f": "\u00e9", "pass": "[redacted]"}' in after
    assert '"token": 1.10' in after
    assert "[[" not in after
    assert REDACTION.json(before) is not before
    plain = '{"a": 1.10, "passed": [1e400]}'
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
    assert REDACTION.affects(before) or after == before


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
        ("ssn", ["ssn", "SSN", "s-s n", "my_ssn", "SSNs", "ssn2"], ["assn", "ssnx", "password"]),
        ("*token*,ssn", ["tokenizer", "a_token", "xtokens", "ssn"], ["tok_e", "essn"]),
        ("Pass_Word, *iban*", ["password", "PASS-WORD", "my IBAN"], ["passwordless", "iba"]),
        ("a*b", ["ab", "A--b", "a\nxb", "my a, b too"], ["abc", "ba", "xa_b"]),
        ("key*", ["key", "keys", "keyboard", "my_keyboard"], ["monkey"]),
        ("s3_key", ["s3Key", "S3_KEY", "my.s3.key"], ["s_key", "key", "s33_key"]),
        ("*", ["anything", "", "\u00e9"], []),
        ("stra\u00dfe", ["stra\u00dfe", "Stra\u00dfe", "Haupt-Stra\u00dfe"], ["strasse"]),
        ("cl\u00e9", ["CL\u00c9", "Cle\u0301s", "maCl\u00e9"], ["cle", "cl\u00e9ment"]),
        (
            "\u043f\u0430\u0440\u043e\u043b\u044c",
            [
                "\u041f\u0410\u0420\u041e\u041b\u042c",
                "\u043c\u043e\u0439\u041f\u0430\u0440\u043e\u043b\u044c2",
            ],
            ["\u043f\u0430\u0440\u043e\u043b\u044c\u043d\u044b\u0439"],
        ),
        (
            "\u5bc6\u7801",
            ["\u5bc6\u7801", "user\u5bc6\u7801"],
            ["\u7528\u6237\u5bc6\u7801", "\u5bc6"],
        ),
        ("*\u5bc6\u7801", ["\u7528\u6237\u5bc6\u7801"], ["\u5bc6\u7801\u5b66"]),
    ],
)
def test_the_keys_are_a_setting(given_keys: str, secret: list[str], plain: list[str]) -> None:
    redaction = Settings.read({"JOBLENS_REDACT_KEYS": given_keys}).redaction()
    check(redaction, secret, plain)


def check(redaction: Redaction, secret: list[str], plain: list[str]) -> None:
    for keys, is_secret in ((secret, True), (plain, False)):
        for key in keys:
            text = orjson.dumps({key: "x"}).decode()
            assert redaction.is_secret(key) == is_secret, key
            assert (redaction.json(text) is not text) == is_secret, key


@pytest.mark.parametrize(
    ("excepted", "secret", "plain"),
    [
        ("", ["token_type"], ["tokenizer"]),
        ("token_type", ["oauth_token_type", "token_types", "token"], ["TokenType", "token-type"]),
        ("token_type, *tokens_details", ["tokens_details_2"], ["tokenType", "promptTokensDetails"]),
        ("csrf*", ["my_csrf_token", "token"], ["csrf_token", "csrfmiddlewaretoken"]),
        ("*", [], ["token", "password"]),
    ],
)
def test_keys_are_excepted(excepted: str, secret: list[str], plain: list[str]) -> None:
    check(Settings.read({"JOBLENS_REDACT_EXCEPT": excepted}).redaction(), secret, plain)


names = st.lists(st.sampled_from([*"ab1_-. *", "A", "\u00e9", "\u4ee4"]), min_size=1).map("".join)


@examples(300)
@given(
    name=names, key=st.lists(st.sampled_from([*"ab1_-. s\n", "A", "\u00e9", "\u4ee4"])).map("".join)
)
def test_a_name_finds_at_least_the_keys_that_are_written_so(name: str, key: str) -> None:
    """Whatever stands for the stars, and however the words are divided."""
    pieces = [re.sub(r"[-_. ]", "", piece).lower() for piece in name.split("*")]
    squeezed = re.sub(r"[-_. ]", "", key).lower()
    if any(pieces) and re.fullmatch(".*".join(map(re.escape, pieces)), squeezed, re.DOTALL):
        check(Redaction(name), [key], [])


@examples(300)
@given(key=keys)
def test_the_quick_look_passes_over_no_secret(key: str) -> None:
    for redaction in (REDACTION, Redaction("\u00e9*,*\u043f\u0430\u0440")):
        check(redaction, *([key], []) if redaction.is_secret(key) else ([], [key]))


@pytest.mark.parametrize("keys", [",", "a,,b", "-", 'say "x"', "a\\b", "a\nb"])
def test_keys_that_cannot_be_used_are_refused(keys: str) -> None:
    with pytest.raises(SettingsError, match="JOBLENS_REDACT_KEYS"):
        Settings.read({"JOBLENS_REDACT_KEYS": keys})
    with pytest.raises(SettingsError, match="JOBLENS_REDACT_EXCEPT"):
        Settings.read({"JOBLENS_REDACT_EXCEPT": keys})


def test_without_the_setting_it_is_the_default() -> None:
    assert Settings.read({}).redact_keys == DEFAULT_KEYS
