"""One running Joblens a module, over the module's own database."""

from collections.abc import AsyncIterator

import pytest

from tests.service import Service, serving


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url) as running:
        yield running
