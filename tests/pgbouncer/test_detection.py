"""How Joblens notices which pooler it has: by `joblens doctor`, and before it serves."""

import pytest

from db.connections import Pooler
from db.pooling import Found, check_pooler, find_pooler
from tests.support.pgbouncer import Bouncer, pgbouncer

SECONDS = 60


async def checked(url: str, configured: Pooler, listen_url: str | None = None) -> dict[str, str]:
    """Get the marks of the checks."""
    checks = check_pooler(url, configured, listen_url, timeout_seconds=SECONDS)
    return {
        check.name: "ok" if check.ok else "wrong" if check.is_wrong else "weak"
        async for check in checks
    }


async def test_each_kind_is_found(
    database_url: str, bouncer: Bouncer, session_bouncer: Bouncer
) -> None:
    async def found(url: str) -> Found:
        return await find_pooler(url, timeout_seconds=SECONDS)

    assert await found(database_url) == Found(Pooler.NONE)
    assert await found(session_bouncer.through(database_url)) == Found(Pooler.SESSION)
    # PgBouncer 1.18 keeps no statements; later ones do so if their settings say it.
    for _ in range(3):
        assert (await found(bouncer.through(database_url))).pooler is Pooler.TRANSACTION


@pytest.mark.parametrize("settings", [{"server_round_robin": 1, "min_pool_size": 2}, {}])
async def test_however_it_takes_connections(
    cluster_url: str, database_url: str, settings: dict[str, int]
) -> None:
    with pgbouncer(cluster_url, default_pool_size=2, **settings) as other:
        url = other.through(database_url)
        found = await find_pooler(url, timeout_seconds=SECONDS)
        assert found.pooler is Pooler.TRANSACTION


async def test_a_pooler_with_one_connection(cluster_url: str, database_url: str) -> None:
    with pgbouncer(cluster_url, pool_mode="session", default_pool_size=1) as narrow:
        url = narrow.through(database_url)
        assert (await find_pooler(url, timeout_seconds=1)).pooler is Pooler.SESSION


async def test_the_setting_must_name_it(database_url: str, bouncer: Bouncer) -> None:
    url = bouncer.through(database_url)
    right, wrong = Pooler.TRANSACTION, Pooler.NONE
    assert await checked(url, right, database_url) == {"pooler": "ok", "notifications": "ok"}
    assert await checked(url, right) == {"pooler": "ok", "notifications": "weak"}
    if not (await find_pooler(url, timeout_seconds=SECONDS)).keeps_statements:
        assert (await checked(url, wrong))["pooler"] == "wrong"
    assert await checked(database_url, wrong) == {"pooler": "ok", "notifications": "ok"}
    assert (await checked(database_url, right))["pooler"] == "weak"
