"""A migrated primary and its hot standby, for the tests of one module."""

from collections.abc import AsyncIterator

import pytest

from db import migrations
from tests.support.service import Service, serving
from tests.support.standby import Pair, replicated


@pytest.fixture(scope="module")
async def pair() -> AsyncIterator[Pair]:
    with replicated() as found:
        await migrations.upgrade(found.primary)
        yield found


@pytest.fixture(scope="module")
async def primary(pair: Pair) -> AsyncIterator[Service]:
    """A Joblens on the primary."""
    async with serving(pair.primary) as running:
        yield running


@pytest.fixture(scope="module")
async def standby(pair: Pair, primary: Service) -> AsyncIterator[Service]:
    """A Joblens that knows nothing but the standby. The primary's has made the organisation."""
    async with serving(pair.standby, live_poll_seconds="0.2") as running:
        yield running
