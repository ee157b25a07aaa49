"""The keys of the sums that answer a query: those of the jobs that meet its criteria."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import and_, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.dimensions import JobDimension
from db.queries.filters import Condition, text_conditions
from db.queries.rows import AnyRow, AnySelect, read
from db.tables import tally_key_table
from db.tallies.keys import ALL, OTHERS, key_of

_KNOWN = frozenset({"and_", "or_", "not_", "type", "queue"})
# In the `info` of a session: the pairs that its snapshot has, by organisation and criteria.
_READ = "joblens_tally_keys"

column = tally_key_table.c


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a sum, which has the jobs of a type, of a queue, of both, or all."""

    id: int
    type: str | None = None
    queue: str | None = None


def are_known(criteria: JobCriteria) -> bool:
    """Return whether the criteria ask for nothing but types and queues."""
    parts = (
        *(criteria.and_ or ()),
        *(criteria.or_ or ()),
        *((criteria.not_,) if criteria.not_ else ()),
    )
    return _given(criteria) <= _KNOWN and all(map(are_known, parts))


async def find_keys(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    by: Collection[JobDimension],
) -> list[Key] | None:
    """Find the fewest keys that together have the jobs that meet the criteria, which are known.

    Each is of one value of the dimensions `by`. None: keys do not decide which jobs these are.
    """
    if criteria is None and not by:
        return [Key(ALL)]
    pairs = await _read_pairs(session, org_id, criteria)
    has_others = _has_others(pairs)
    if criteria is not None and has_others and not _decide(pairs, criteria):
        return None
    ways = [[_key(pair) for pair in pairs if pair.matches]]
    if JobDimension.QUEUE not in by:
        ways.append(_joined(pairs, lambda pair: Key(pair.type_key, pair.type)))
    # A queue may be among the OTHERS of some types only.
    if JobDimension.TYPE not in by and not (has_others and by):
        ways.append(_joined(pairs, lambda pair: Key(pair.queue_key, None, pair.queue)))
    return min(ways, key=len)


async def find_pairs(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None
) -> list[int] | None:
    """Find the keys of the pairs of the jobs that meet the criteria, which are known.

    None: keys do not decide which jobs these are, or are not of a single pair each.
    """
    pairs = await _read_pairs(session, org_id, criteria)
    return None if _has_others(pairs) else [pair.id for pair in pairs if pair.matches]


def keys_of_jobs(keys: Sequence[Key], jobs: Sequence[AnyRow]) -> list[Key]:
    """Return the keys under which jobs are summed, or will be, as far as these keys tell them."""
    numbers: dict[tuple[str | None, str | None], int] = {}
    for number, key in enumerate(keys):
        numbers.setdefault((key.type, None), number)
        numbers[key.type, key.queue] = number
        if key.type == OTHERS:
            numbers[OTHERS, OTHERS] = number
    known = [key_of((job.type, job.queue), numbers) for job in jobs]
    return [
        Key(-1, job.type, job.queue) if number is None else keys[number]
        for job, number in zip(jobs, known, strict=True)
    ]


def _has_others(pairs: Sequence[AnyRow]) -> bool:
    return any(OTHERS in (pair.type, pair.queue) for pair in pairs)


def _joined(pairs: Sequence[AnyRow], join: Callable[[AnyRow], Key]) -> list[Key]:
    """Use the key that a pair joins if all pairs that join it match."""
    cut = {join(pair) for pair in pairs if not pair.matches}
    matching = [pair for pair in pairs if pair.matches]
    return [
        *dict.fromkeys(join(pair) for pair in matching if join(pair) not in cut),
        *(_key(pair) for pair in matching if join(pair) in cut),
    ]


def _key(pair: AnyRow) -> Key:
    return Key(pair.id, pair.type, pair.queue)


def _given(criteria: JobCriteria) -> set[str]:
    return {each.name for each in fields(criteria) if getattr(criteria, each.name) is not None}


def _decide(pairs: Sequence[AnyRow], criteria: JobCriteria) -> bool:
    """Return whether the keys decide which jobs meet the criteria, although some are OTHERS."""
    if _given(criteria) != {"type"} or criteria.type is None:
        return False
    names = {*(criteria.type.in_ or ()), *((criteria.type.eq,) if criteria.type.eq else ())}
    return bool(names) and names <= {pair.type for pair in pairs} - {OTHERS}


async def _read_pairs(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None
) -> Sequence[AnyRow]:
    known: dict[object, Sequence[AnyRow]] = session.info.setdefault(_READ, {})
    key = org_id, repr(criteria)
    if key not in known:
        known[key] = await read(session, _pairs, org_id, criteria)
    return known[key]


def _pairs(org_id: UUID, criteria: JobCriteria | None) -> AnySelect:
    matches = true() if criteria is None else _condition(criteria)
    columns = column.id, column.type, column.queue, column.type_key, column.queue_key
    is_pair = column.type.is_not(None), column.queue.is_not(None)
    return select(*columns, matches.label("matches")).where(column.org_id == org_id, *is_pair)


def _condition(criteria: JobCriteria) -> Condition:
    return and_(true(), *_conditions(criteria))


def _conditions(criteria: JobCriteria) -> Iterator[Condition]:
    yield from text_conditions(column.type, criteria.type)
    yield from text_conditions(column.queue, criteria.queue)
    yield from (_condition(each) for each in criteria.and_ or ())
    if criteria.or_ is not None:
        yield or_(*(_condition(each) for each in criteria.or_), not_(true()))
    if criteria.not_ is not None:
        yield not_(_condition(criteria.not_))
