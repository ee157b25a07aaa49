"""One running Joblens a module, which wants tokens."""

from collections.abc import AsyncIterator

import pytest

from tests.support.service import Service, serving


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, auth="token") as running:
        yield running
