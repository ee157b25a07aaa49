"""Reads of sources, and the record of facts of their jobs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.facts import (
    Fact,
    Recorded,
    Source,
    TooManySourcesError,
    list_sources,
    load_sources,
    record_facts,
)
from db.limits import MAX_FACTS
from db.queries.rows import AnyRow
from resolvers.context import Context
from resolvers.errors import BadUserInputError

SourceRow = AnyRow
LAG_COLUMNS = frozenset({"lag_seconds", "last_seen_at"})


def lag_of(row: SourceRow, now: datetime) -> float | None:
    """Return how many seconds a source's mirror is behind; one that stopped, ever more so."""
    if row.lag_seconds is None or row.last_seen_at is None:
        return None
    lag: float = row.lag_seconds + max(0.0, (now - row.last_seen_at).total_seconds())
    return lag


async def get_all_sources(ctx: Context) -> Sequence[SourceRow]:
    """Return the sources of the organisation, by their names."""
    rows: Sequence[SourceRow] = await ctx.read(list_sources)
    return rows


async def get_sources(ctx: Context, ids: Sequence[UUID | None]) -> Sequence[SourceRow | None]:
    """Return the sources with these ids, in the same order; None for unknown ones."""

    async def batch(missing: Sequence[UUID]) -> list[SourceRow | None]:
        found = {row.id: row for row in await ctx.read(load_sources, missing)}
        return [found.get(each) for each in missing]

    wanted = [each for each in ids if each is not None]
    rows = await ctx.load("sources", batch, wanted) if wanted else []
    by_id = dict(zip(wanted, rows, strict=True))
    return [None if each is None else by_id[each] for each in ids]


async def record(ctx: Context, source: Source, facts: Sequence[Fact]) -> Recorded:
    """Record facts of a source, in one transaction. Raises BadUserInputError."""
    for name, fault in source.faults.items():
        raise BadUserInputError(f"'source.{name}': {fault}")
    if len(facts) > MAX_FACTS:
        raise BadUserInputError(f"'facts' may hold at most {MAX_FACTS} facts.")
    try:
        async with ctx.write() as (session, org_id):
            return await record_facts(session, org_id, source, facts, now=ctx.now)
    except TooManySourcesError as error:
        raise BadUserInputError(str(error)) from None
