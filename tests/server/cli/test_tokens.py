"""`joblens org` and `joblens token`."""

import asyncio
import re
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db.tables import metadata
from server.auth.token_format import RANDOM_BYTES, org_of
from tests.server.cli.conftest import Outcome, run


@pytest.fixture
def org(ledger: str) -> tuple[str, str]:
    """An organisation's id and name."""
    name = f"Org {uuid4().hex[:8]}"
    return run("org", "create", name).stdout.strip(), name


def token(*options: str) -> Outcome:
    return run("token", "create", "--role", "writer", "--name", "worker", *options)


def line(token_id: str) -> str:
    (found,) = [line for line in run("token", "list").stdout.splitlines() if token_id in line]
    return found


def id_of(told: Outcome) -> str:
    found = re.search(r"token ([0-9a-f-]{36}), shown only once", told.stderr)
    assert found is not None
    return found[1]


def test_organisations(org: tuple[str, str]) -> None:
    org_id, name = org
    listed = run("org", "list").stdout
    assert re.search(f"{org_id} +{name} +20[0-9T:-]+Z", listed)
    given = str(uuid4())
    assert run("org", "create", "Other", "--id", given).stdout == f"{given}\n"
    for words in (["org", "create", name], ["org", "create", "New", "--id", given]):
        told = run(*words)
        assert (told.exit_code, told.stdout) == (2, "")
        assert "already" in told.stderr


def test_a_token_is_shown_once(org: tuple[str, str]) -> None:
    for named in org:
        told = token("--org", named)
        assert told.exit_code == 0
        assert re.fullmatch(r"jl_[A-Za-z0-9_-]{64}\n", told.stdout)
        assert str(org_of(told.stdout.strip())) == org[0]
        found = line(id_of(told))
        assert re.search(rf"{org[1]} +worker +writer +20\S+Z +works", found)
        assert told.stdout.strip() not in run("token", "list").stdout


async def _dumped(url: str) -> str:
    """Read all there is, as the owner."""
    connection: Any = await asyncpg.connect(url)
    rows = [
        row["text"]
        for table in metadata.tables
        for row in await connection.fetch(f"SELECT t::text AS text FROM {table} AS t")
    ]
    await connection.close()
    return "".join(rows)


def test_a_dump_holds_no_token(org: tuple[str, str], ledger: str) -> None:
    secret = token("--org", org[0]).stdout.strip()
    raw = urlsafe_b64decode(secret.removeprefix("jl_"))[-RANDOM_BYTES:]
    dump = asyncio.run(_dumped(ledger))
    assert org[1] in dump
    assert sha256(secret.encode()).hexdigest() in dump
    for text in (secret, secret[-40:], raw.hex()[:16]):
        assert text not in dump


def test_tokens_of_one_organisation(org: tuple[str, str]) -> None:
    other = run("org", "create", f"Other {uuid4()}").stdout.strip()
    own, others = id_of(token("--org", org[0])), id_of(token("--org", other))
    listed = run("token", "list", "--org", org[1]).stdout
    assert own in listed
    assert others not in listed


def test_a_token_expires(org: tuple[str, str]) -> None:
    assert re.search(r"Z +20\S+Z +works", line(id_of(token("--org", org[0], "--expires", "90d"))))


@pytest.mark.parametrize("time", ["90", "0d", "d", "-1d", "1y", "999999d", "tomorrow"])
def test_no_time_to_expire_in(org: tuple[str, str], time: str) -> None:
    told = token("--org", org[0], "--expires", time)
    assert told.exit_code == 2
    assert "is not a duration such as 90d" in told.stderr


def test_a_token_is_revoked(org: tuple[str, str]) -> None:
    token_id = id_of(token("--org", org[0]))
    assert run("token", "revoke", token_id).stdout == f"revoked {token_id}\n"
    assert "revoked 20" in line(token_id)
    again = run("token", "revoke", token_id)
    assert again.exit_code == 2
    assert "no active token" in again.stderr


def test_what_is_not_there(org: tuple[str, str]) -> None:
    for words in (["--org", str(uuid4())], ["--org", "Nobody"]):
        told = token(*words)
        assert told.exit_code == 2
        assert "there is no organisation" in told.stderr
    assert run("token", "revoke", str(uuid4())).exit_code == 2
    assert run("org", "create", "").exit_code == 2
    assert token("--org", org[0], "--name", "").exit_code == 2


def test_the_embedded_database() -> None:
    assert run("migrate").exit_code == 0
    org_id = run("org", "create", "Mine").stdout.strip()
    assert token("--org", org_id).exit_code == 0
    assert "worker" in run("token", "list").stdout
