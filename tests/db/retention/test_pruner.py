"""Pruning in the background: by which logins, of which organisations, and how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
import structlog
from structlog.testing import LogCapture

from db import background_task
from db.retention import pruner as pruner_module
from db.retention.pruner import Pace, Pruner
from db.retention.pruning import create_prune_engine, list_prunable_orgs
from server.app import create_app
from server.settings import Settings
from tests.db.retention.test_pruning import DAY, ended, ids, keep, left, prune_all
from tests.support.background import running, until

EAGER = Pace(batch_size=2, pause_ratio=0)


@contextmanager
def listening() -> Iterator[list[Any]]:
    """Collect what is logged, whatever other tests have configured."""
    capture = LogCapture()
    plain = structlog.wrap_logger(
        None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in (pruner_module, background_task):
            patch.setattr(module, "log", plain)
        yield capture.entries


async def test_all_organisations_are_pruned_again_and_again(database_url: str, owner: Any) -> None:
    orgs = [(await ended(database_url, 5))[0]["org_id"] for _ in range(3)]
    policies = [await keep(database_url, org_id, DAY) for org_id in orgs[:2]]
    pruners = [Pruner(database_url, 0.01, EAGER) for _ in range(2)]

    with listening() as lines:

        async def has_told(deleted: int) -> bool:
            own = [line for line in lines if line["organisation"] in set(map(str, orgs))]
            return sum(line["deleted"] for line in own) == deleted

        async with running(*pruners):
            await until(partial(has_told, 10))
            await ended(database_url, 1, orgs[1])
            await until(partial(has_told, 11))
    assert not any([await left(owner, org_id) for org_id in orgs[:2]])
    # It has no policy.
    assert len(await left(owner, orgs[2])) == 5
    deleted_by = {policy.id: 0 for policy in policies}
    for line in lines:
        assert (line["event"], line["log_level"]) == ("pruned jobs", "info")
        for policy in policies:
            deleted_by[policy.id] += line["policies"].get(str(policy.id), 0)
    assert list(deleted_by.values()) == [5, 6]


async def test_it_stops_between_two_transactions(database_url: str, owner: Any) -> None:
    rows = await ended(database_url, 20)
    org_id = rows[0]["org_id"]
    await keep(database_url, org_id, DAY)
    pruner = Pruner(database_url, 0.01, Pace(batch_size=2, pause_ratio=1e9))

    async def has_begun() -> bool:
        return len(await left(owner, org_id)) < 20

    async with running(pruner):
        await until(has_begun)
    assert await left(owner, org_id) == ids(rows[2:])


async def test_it_goes_on_after_an_error(
    database_url: str,
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("db.background_task.RETRY_SECONDS", 0.01)
    org_id = (await ended(database_url, 3))[0]["org_id"]
    await keep(database_url, org_id, DAY)
    await owner.execute("ALTER TABLE retention_policy RENAME TO hidden")
    with listening() as lines:

        def told() -> list[str]:
            # Earlier tests leave policies of other organisations.
            return [
                line["event"] for line in lines if line.get("organisation") in {None, str(org_id)}
            ]

        async def has_told(event: str) -> bool:
            return event in told()

        async with running(Pruner(database_url, 0.01, EAGER)):
            try:
                await until(partial(has_told, "cannot prune jobs"))
            finally:
                await owner.execute("ALTER TABLE hidden RENAME TO retention_policy")
            await until(partial(has_told, "pruned jobs"))
    assert not await left(owner, org_id)
    # Once, however often it is tried again.
    assert told() == ["cannot prune jobs", "pruned jobs"]


async def test_the_login_that_serves_may_prune(database_url: str, owner: Any) -> None:
    org_id = (await ended(database_url, 3))[0]["org_id"]
    await keep(database_url, org_id, DAY)
    name = f"joblens_test_{uuid4().hex}"
    await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' IN ROLE joblens_app")
    parts = urlsplit(database_url)
    engine = create_prune_engine(
        urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
    )
    assert org_id in await list_prunable_orgs(engine)
    assert (await prune_all(engine, org_id)).total() == 3
    await engine.dispose()
    await owner.execute(f"REVOKE joblens_app FROM {name}; SET ROLE {name}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("SELECT retention_orgs()")
    await owner.execute("RESET ROLE")
    await owner.execute(f"DROP ROLE {name}")


async def test_the_application_prunes(database_url: str, owner: Any) -> None:
    org_id = (await ended(database_url, 3))[0]["org_id"]
    await keep(database_url, org_id, DAY)
    given = {
        "DATABASE_URL": database_url,
        "TALLY_INTERVAL_SECONDS": "0",
        "PRUNE_INTERVAL_SECONDS": "0.01",
    }
    app = create_app(Settings.read({f"JOBLENS_{name}": value for name, value in given.items()}))

    async def is_empty() -> bool:
        return not await left(owner, org_id)

    async with app.router.lifespan_context(app):
        await until(is_empty)
