"""Times as the driver reads and writes them: those of PostgreSQL, to the microsecond."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.codecs import read_time, set_codecs, write_time
from db.limits import MAX_INT64, MIN_INT64
from db.times import FIRST, LAST, from_microseconds, to_microseconds
from tests.support.effort import examples

# What PostgreSQL can store: 4714 BC to 294276.
FIRST_COUNT, END_COUNT = -211_813_488_000_000_000, 9_223_371_331_200_000_000
counts = st.integers(FIRST_COUNT, END_COUNT - 1) | st.sampled_from(
    [MIN_INT64, MAX_INT64, FIRST_COUNT, END_COUNT - 1, -63_113_904_000_000_000 - 1]
)
OF_COUNT = """
SELECT CASE $1::int8 WHEN 9223372036854775807 THEN 'infinity'
    WHEN -9223372036854775808 THEN '-infinity'
    ELSE timestamptz '2000-01-01 00:00:00+00' + make_interval(secs => 0)
        + ($1::int8 / 86400000000) * interval '1 day'
        + ($1::int8 % 86400000000) * interval '1 microsecond' END
"""


@pytest.fixture(scope="module")
async def driver(cluster_url: str) -> AsyncIterator[Any]:
    settings = {"timezone": "UTC", "datestyle": "ISO"}
    connection = await asyncpg.connect(cluster_url, server_settings=settings)
    await set_codecs(connection, str)
    yield connection
    await connection.close()


@examples(100)
@given(count=counts)
async def test_they_are_read_and_written_to_the_microsecond(driver: Any, count: int) -> None:
    time = await driver.fetchval(OF_COUNT, count)
    assert to_microseconds(time) == count
    assert time == from_microseconds(count)
    assert await driver.fetchval(
        f"SELECT $1::timestamptz = ({OF_COUNT.replace('$1', '$2')})", time, count
    )


@pytest.mark.parametrize(
    "time",
    [
        FIRST,
        LAST,
        datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        datetime(1900, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=53, seconds=28))),
    ],
)
async def test_any_time_of_python_is_kept(driver: Any, time: datetime) -> None:
    kept = await driver.fetchval("SELECT $1::timestamptz", time)
    assert kept == time
    assert kept.tzinfo is UTC


async def test_arrays_of_times(driver: Any) -> None:
    times = [
        FIRST,
        datetime(2026, 1, 1, tzinfo=UTC),
        await driver.fetchval("SELECT timestamptz 'infinity'"),
    ]
    assert await driver.fetchval("SELECT $1::timestamptz[]", times) == times
    assert await driver.fetchval("SELECT $1::timestamptz[] @> '{infinity}'", times)


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_time(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of it
    for text in ("yesterday", "20x6-01-01 00:00:00+00", "10000-01-01 00:00:00+01"):
        with pytest.raises(ValueError, match=re.escape(text)):
            read_time(text)
