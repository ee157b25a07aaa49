"""A retry's time is that which adding an interval gives, to the microsecond."""

from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import ARRAY, Double, Interval, cast, column, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.transition_statements import later
from db.engine import SCOPE_OPTION, Scope
from db.tables import Timestamp
from tests.support.service import ORG, Service

YEARS_OF_SECONDS = (2240 - 1970) * 365 * 86400


async def test_it_is_the_time_plus_the_interval(service: Service) -> None:
    chance = Random(5)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    times = [start + timedelta(seconds=chance.uniform(0, YEARS_OF_SECONDS)) for _ in range(20_000)]
    await _check(service, times, [chance.uniform(0, 10 ** chance.uniform(-6, 7)) for _ in times])


async def test_each_microsecond_is_kept(service: Service) -> None:
    start = datetime(2026, 11, 26, 23, 59, 59, 999_000, tzinfo=UTC)
    times = [start + timedelta(microseconds=n) for n in range(2000)]
    await _check(service, times, [0.1 + n / 1e6 for n in range(2000)])


async def _check(service: Service, times: list[datetime], seconds: list[float]) -> None:
    given = func.unnest(literal(times, ARRAY(Timestamp)), literal(seconds, ARRAY(Double)))
    pair = given.table_valued(column("at", Timestamp), column("wait", Double())).render_derived().c
    interval = cast(func.make_interval(0, 0, 0, 0, 0, 0, pair.wait), Interval())
    differing = select(pair.at, pair.wait).where(later(pair.at, pair.wait) != pair.at + interval)
    scoped = service.engine.execution_options(**{SCOPE_OPTION: Scope(ORG, 60)})
    async with AsyncSession(scoped) as session:
        assert (await session.execute(differing)).all() == []
        counted = await session.execute(select(func.count()).select_from(pair.at.table))
        assert counted.scalar_one() == len(times)
