"""Finds records whose parent would be the job itself or one of its descendants.

No other writer needs this: a new job has a new id, which no job has as its parent.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

# Two imports at once could each write one half of a circle.
_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('joblens parents ' || $1::text, 0))"
_ANCESTORS = """
WITH RECURSIVE ancestor (id, parent_id) AS (
    SELECT id, parent_id FROM job
    WHERE org_id = $1 AND id = ANY($2::uuid[]) AND parent_id IS NOT NULL
    UNION
    SELECT job.id, job.parent_id
    FROM ancestor JOIN job ON job.org_id = $1 AND job.id = ancestor.parent_id
    WHERE job.parent_id IS NOT NULL
)
SELECT id, parent_id FROM ancestor
"""


class Child(Protocol):
    """A record to import."""

    id: UUID

    @property
    def parent_id(self) -> UUID | None: ...


async def find_circular(connection: Any, org_id: UUID, records: Sequence[Child]) -> set[UUID]:
    """Return the ids of the records that may not be written, in a transaction that writes the rest.

    A stored parent counts as well as that of a record that may replace it.
    """
    children = [record for record in records if record.parent_id is not None]
    if not children:
        return set()
    await connection.execute(_TAKE_TURN, str(org_id))
    ids = {each for child in children for each in (child.id, child.parent_id)}
    parents: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for row in await connection.fetch(_ANCESTORS, org_id, list(ids)):
        parents[row["id"]].add(row["parent_id"])
    return _circular(children, parents)


def _circular(children: Sequence[Child], parents: defaultdict[UUID, set[UUID]]) -> set[UUID]:
    found = set()
    with_children = {each for of_one in parents.values() for each in of_one}
    for child in children:
        assert child.parent_id is not None
        is_leaf = child.id not in with_children and child.id != child.parent_id
        if is_leaf or not _leads_to(child.parent_id, child.id, parents):
            parents[child.id].add(child.parent_id)
            with_children.add(child.parent_id)
        else:
            found.add(child.id)
    return found


def _leads_to(start: UUID, end: UUID, parents: Mapping[UUID, set[UUID]]) -> bool:
    waiting, seen = [start], {start}
    while waiting:
        each = waiting.pop()
        if each == end:
            return True
        new = parents.get(each, set()) - seen
        seen |= new
        waiting += new
    return False
