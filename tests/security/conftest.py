"""A Joblens in a process of its own, as others meet it: only its URL is known, and who they are."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.security.processes import DEFECTS, running, told
from tests.security.targets import Target
from tests.server.auth.minting import mint
from tests.server.cli.conftest import command
from tests.support.effort import first
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import OTHER_ORG, serving


@pytest.fixture(scope="module", params=first(1, ["token", "none"]))
async def target(
    request: pytest.FixtureRequest, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """The server; at its end, its log must not tell of a single defect."""
    log = Path(tmp_path_factory.mktemp("security") / "log")
    environment = {
        "JOBLENS_DATABASE_URL": database_url,
        "JOBLENS_AUTH": request.param,
        "JOBLENS_PORT": "0",
        "JOBLENS_HEAD_TIMEOUT_SECONDS": "3",
        "JOBLENS_BODY_TIMEOUT_SECONDS": "3",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:  # noqa: ASYNC230 - a process writes it, not we
        process = await asyncio.create_subprocess_exec(
            *command("serve"), env=environment, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(rb"(http://\S+)/healthz\s", told(log))):
                assert process.returncode is None, told(log)
                await asyncio.sleep(0.05)
        url = f"{found[1].decode()}/graphql"
        if request.param == "none":
            yield Target(url, {}, {"joblens-org": OTHER_ORG})
        else:
            who = [await mint(database_url, name=name) for name in ("attacker", "bystander")]
            yield Target(url, *({"authorization": each.bearer} for each in who))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    assert DEFECTS.findall(told(log)) == []
    assert process.returncode == 0


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
async def port(
    request: pytest.FixtureRequest, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    """The port of a server without sign-in, on either event loop."""
    if request.param == "asyncio":
        async with serving(database_url) as service:
            yield service.client.base_url.port or 0
    else:
        log = Path(tmp_path_factory.mktemp("port") / "log")
        async with running(database_url, log, auth="none") as server:
            yield server.port
            assert DEFECTS.findall(told(log)) == []
