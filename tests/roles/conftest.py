"""One application a module, over the module's own database."""

from collections.abc import AsyncIterator

import pytest

from tests.roles.asking import Asking, asking


@pytest.fixture(scope="module")
async def admin(database_url: str) -> AsyncIterator[Asking]:
    """The application, asked by an administrator; `as_` asks as others."""
    async with asking(database_url) as asked:
        yield asked
