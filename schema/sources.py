"""The type `Source`, whose source is a row of `source`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.queries.relations import Relation
from resolvers import sources
from resolvers.ids import source_id
from resolvers.paging import PageArguments
from schema.connections import After, Before, First, Last
from schema.execution.fields import Parents, leaf, level
from schema.listings import OptionalJobFilter, OptionalJobOrder, related_jobs
from schema.nodes import Node
from schema.selections import Info

if TYPE_CHECKING:
    from schema.jobs import JobConnection

# As a job has events, a source has jobs: a circle of imports.
LazyJobConnection = Annotated["JobConnection", strawberry.lazy(".jobs")]


@strawberry.type(description="A system that runs jobs, and whose facts are recorded here.")
class Source(Node):
    @leaf("`source:` and a UUID.", {"id"})  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[sources.SourceRow]) -> strawberry.ID:
        return strawberry.ID(source_id(parent.id))

    name: str = strawberry.field(description="The name of the source in the organisation.")
    kind: str = strawberry.field(description="What runs its jobs, such as `river` or `celery`.")

    @leaf("Whether mutations of its jobs are refused with ReadOnlyJob, as of all sources.", set())
    def is_read_only(self) -> bool:
        return True

    @leaf(
        "How far its mirror is behind, in seconds: it grows while the mirror does not run. Null if "
        "there is none, or if it has not run yet.",
        sources.LAG_COLUMNS,
    )
    def lag_seconds(self, parent: strawberry.Parent[sources.SourceRow], info: Info) -> float | None:
        return sources.lag_of(parent, info.context.now)

    last_seen_at: datetime | None = strawberry.field(
        description="When its mirror last read it, or a client last reported a fact."
    )
    last_error: str | None = strawberry.field(
        description="Why its mirror cannot read it now; null if it can."
    )
    backlog_bytes: int | None = strawberry.field(
        description="How many bytes of its write-ahead log are kept for its mirror; null if none "
        "need to be."
    )

    @level("The jobs of the source, by default the newest first.")
    async def jobs(
        self,
        parents: Parents[sources.SourceRow],
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
            info, Relation.SOURCE, [source.id for source in parents], filter, order_by, page
        )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether an object is a source: only rows of sources have a `backlog_bytes`."""
        return hasattr(source, "backlog_bytes")
