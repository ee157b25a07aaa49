"""One running Joblens a module, which wants tokens; and what its audit log says."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.server.audit.lines import Lines, listening
from tests.server.auth.minting import Minted, mint
from tests.support.service import Service, serving


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, auth="token") as running:
        yield running


@pytest.fixture(scope="module")
async def minted(database_url: str) -> Minted:
    return await mint(database_url, name="night shift")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What is told from now on. Floods are over at once: each refusal is told, and if twice, too."""
    monkeypatch.setattr("server.logging.throttle.WINDOW_SECONDS", 0.0)
    with listening() as heard:
        yield heard
