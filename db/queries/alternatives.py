"""Lists that are several ranges of an index: of each status or value, whose pages are merged.

No index has several values in one order. Without these ranges PostgreSQL reads the whole list where
the values are rarer than it expects.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    Uuid,
    any_,
    column,
    func,
    literal,
    select,
    true,
    union_all,
)

from db.criteria import JobCriteria, JobEventCriteria, SearchCriteria
from db.queries.filters import event_conditions, is_any, job_conditions
from db.queries.keyset import JOB_ORDERS, JobOrderField, KeysetOrder, Window
from db.queries.rows import AnySelect
from db.statuses import JobStatus
from db.tables import job_table

# Keeps the page of a select, in the order of its list.
Cut: TypeAlias = Callable[[AnySelect], AnySelect]

# The statuses of the events in idx_job_event_org_status.
RARE = frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.DEAD_LETTER})
# Each has an index of its values, in this order.
_COLUMNS = ("batch", "requested_by", "last_error_code", "worker", "type", "queue")
# The orders that these indexes have.
BY_CREATION = frozenset(JOB_ORDERS[JobOrderField.CREATED_AT, down] for down in (False, True))


@dataclass(frozen=True, slots=True)
class Ranges:
    """The same page of each range. `is_one`: there is one range, whose page is that of the list."""

    pages: list[AnySelect]
    is_one: bool

    def page(self, window: Window) -> AnySelect:
        """Merge the pages, which have the columns of the window's order."""
        if self.is_one:
            return self.pages[0]
        found = self._all().subquery("found")
        keys = [found.c[column.attribute] for column in window.order.columns]
        ordering = [key.desc() if window.is_descending else key.asc() for key in keys]
        return select(found).order_by(*ordering).limit(literal(window.limit, BigInteger()))

    def first(self, most: int) -> AnySelect:
        """Select `most` rows of any ranges."""
        return self.pages[0] if self.is_one else self._all().limit(literal(most, BigInteger()))

    def _all(self) -> AnySelect:
        each = [select(page.subquery()) for page in self.pages]
        return each[0] if len(each) == 1 else select(union_all(*each).subquery("each"))


def job_ranges(
    statement: AnySelect,
    org_id: UUID,
    criteria: JobCriteria | None,
    order: KeysetOrder,
    cut: Cut,
) -> Ranges:
    """Restrict a select of jobs to each range of the criteria, if it has an index of the order.

    Jobs that were located are read in no order.
    """
    if criteria is None or criteria.locations is not None or order not in BY_CREATION:
        return Ranges([cut(statement.where(job_conditions(org_id, criteria)))], is_one=True)
    parts = list(_of_each_status(criteria))
    if criteria.search is not None and criteria.search.found is not None:
        of_found = [_of_found(org_id, part, criteria.search, cut) for part in parts]
        ids = select(union_all(*chain.from_iterable(of_found)).subquery("found").c.id)
        wanted = job_table.c.id == any_(func.array(ids.scalar_subquery()))
        return Ranges([cut(statement.where(job_table.c.org_id == org_id, wanted))], is_one=True)
    name = next((each for each in _COLUMNS if _has_values(criteria, each)), None)
    if name is None:
        pages = [cut(statement.where(job_conditions(org_id, part))) for part in parts]
        return Ranges(pages, is_one=len(parts) == 1)
    return Ranges([_of_each_value(statement, org_id, part, name, cut) for part in parts], False)


def event_ranges(
    statement: AnySelect, org_id: UUID, criteria: JobEventCriteria | None, cut: Cut
) -> Ranges:
    """Restrict a select of events to each rare status of the criteria, and to all others."""
    parts = list(_of_each_rare_status(criteria))
    pages = [cut(statement.where(event_conditions(org_id, part))) for part in parts]
    return Ranges(pages, is_one=len(parts) == 1)


def _of_each_status(criteria: JobCriteria) -> Iterator[JobCriteria]:
    statuses = sorted(set(criteria.status or ()))
    if not 1 < len(statuses) < len(JobStatus):
        yield criteria
    else:
        yield from (replace(criteria, status=[status]) for status in statuses)


def _of_each_rare_status(criteria: JobEventCriteria | None) -> Iterator[JobEventCriteria | None]:
    if criteria is None or criteria.next_status is None:
        yield criteria
        return
    rare = sorted(RARE.intersection(criteria.next_status))
    others = sorted(set(criteria.next_status) - RARE)
    yield from (replace(criteria, next_status=[status]) for status in rare)
    if others or not rare:
        yield replace(criteria, next_status=others)


def _has_values(criteria: JobCriteria, name: str) -> bool:
    text = getattr(criteria, name)
    return text is not None and text.in_ is not None


def _of_each_value(
    statement: AnySelect, org_id: UUID, criteria: JobCriteria, name: str, cut: Cut
) -> AnySelect:
    text = getattr(criteria, name)
    rest = replace(criteria, **{name: replace(text, in_=None)})
    return _of_value(statement.where(job_conditions(org_id, rest)), name, text.in_, cut)


def _of_value(statement: AnySelect, name: str, wanted: Sequence[str], cut: Cut) -> AnySelect:
    values = (
        func.unnest(literal(wanted, ARRAY(Text())))
        .table_valued(column("value", Text()), name="wanted")
        .render_derived()
    )
    found = cut(statement.where(job_table.c[name] == values.c.value)).lateral("of_value")
    return select(found).select_from(values.join(found, true()))


def _of_found(
    org_id: UUID, criteria: JobCriteria, search: SearchCriteria, cut: Cut
) -> Iterator[AnySelect]:
    """Select the ids of the page of each value that was found, and of the ids that were found.

    A job may be in several of them. The first rows of the list are among these pages' rows.
    """
    assert search.found is not None
    if search.found.ids is not None:
        # Not all of them match.
        rest = replace(criteria, search=replace(search, found=None))
        by_id = is_any(job_table.c.id, search.found.ids, Uuid())
        yield select(cut(_ids(org_id, rest).where(by_id)).subquery())
    rest = replace(criteria, search=None)
    for name in ("type", "requested_by", "last_error_code"):
        values = getattr(search.found, name)
        if values is not None:
            yield _of_value(_ids(org_id, rest), name, values, cut)


def _ids(org_id: UUID, criteria: JobCriteria) -> AnySelect:
    return select(job_table.c.id).where(job_conditions(org_id, criteria))
