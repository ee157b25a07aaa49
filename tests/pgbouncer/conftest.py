"""A PgBouncer in front of the tests' PostgreSQL. Without the program these tests fail, not skip."""

from collections.abc import Iterator

import pytest

from tests.support.pgbouncer import INSTALL, Bouncer, pgbouncer, program


@pytest.fixture(scope="session")
def bouncer(cluster_url: str) -> Iterator[Bouncer]:
    """One that gives each client few server connections, for one transaction each."""
    if program() is None:
        pytest.fail(INSTALL)
    with pgbouncer(cluster_url, default_pool_size=3) as running:
        yield running


@pytest.fixture(scope="session")
def session_bouncer(cluster_url: str) -> Iterator[Bouncer]:
    """One whose clients keep their server connections."""
    if program() is None:
        pytest.fail(INSTALL)
    with pgbouncer(cluster_url, pool_mode="session") as running:
        yield running
