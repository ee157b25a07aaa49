"""The type `Batch`, whose source is a resolvers.relations.Batch."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry

from db.queries.relations import Relation
from resolvers import relations
from resolvers.errors import UnavailableError
from resolvers.ids import batch_id
from resolvers.paging import PageArguments
from schema.aggregates import StatusCount
from schema.connections import After, Before, First, Last
from schema.execution.fields import Parents, leaf, level
from schema.listings import OptionalJobFilter, OptionalJobOrder, related_jobs
from schema.nodes import Node
from schema.selections import Info

if TYPE_CHECKING:
    from schema.jobs import JobConnection

T = TypeVar("T")

# As a job has events, a batch has jobs: a circle of imports.
LazyJobConnection = Annotated["JobConnection", strawberry.lazy(".jobs")]


@strawberry.type(description="The jobs that were created with the same `batch`.")
class Batch(Node):
    @leaf("`batch:` and the name.", {"name"})  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[relations.Batch]) -> strawberry.ID:
        return strawberry.ID(batch_id(parent.name))

    name: str = strawberry.field(description="The name of the batch.")

    @level("The number of jobs of the batch in each status; every status is present.")
    async def status_counts(
        self, parents: Parents[relations.Batch], info: Info
    ) -> Sequence[list[StatusCount]]:
        return await _counts(parents, info, lambda counts: counts.status_counts)

    @level("The part of the jobs that have ended, from 0 to 1.")
    async def fraction(self, parents: Parents[relations.Batch], info: Info) -> Sequence[float]:
        return await _counts(parents, info, lambda counts: counts.fraction)

    @level("When the first job of the batch was created.")
    async def first_created_at(
        self, parents: Parents[relations.Batch], info: Info
    ) -> Sequence[datetime]:
        return await _counts(parents, info, lambda counts: counts.first_created_at)

    @level("When the last job of the batch ended; null while some have not.")
    async def last_finished_at(
        self, parents: Parents[relations.Batch], info: Info
    ) -> Sequence[datetime | None]:
        return await _counts(parents, info, lambda counts: counts.last_finished_at)

    @level("The jobs of the batch, by default the newest first.")
    async def jobs(
        self,
        parents: Parents[relations.Batch],
        info: Info,
        filter: OptionalJobFilter = None,
        order_by: OptionalJobOrder = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Sequence[LazyJobConnection]:
        page = PageArguments(first, after, last, before)
        return await related_jobs(
            info, Relation.BATCH, [batch.name for batch in parents], filter, order_by, page
        )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether a source is a batch."""
        return isinstance(source, relations.Batch)


async def _counts(
    batches: Parents[relations.Batch], info: Info, read: Callable[[relations.BatchCounts], T]
) -> Sequence[Any]:
    found = await relations.get_batch_counts(info.context, batches)
    return [each if isinstance(each, UnavailableError) else read(each) for each in found]
