"""The type `JobEvent`, whose source is a row of `job_event`, and its connection."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.queries.events import JobEventRow
from db.statuses import JobStatus
from resolvers import events
from resolvers.jobs import get_jobs
from resolvers.paging import ConnectionSource, count_lists
from schema import connections
from schema.connections import AtMost, Count, PageInfo
from schema.execution.fields import Parents, leaf, level
from schema.nodes import Node
from schema.redacted_fields import secret_json
from schema.scalars import JSON
from schema.selections import Info, Selections, selected

if TYPE_CHECKING:
    from schema.jobs import Job

# A circle of imports: a Job has events, and an event has a Job.
LazyJob = Annotated["Job", strawberry.lazy(".jobs")]


@strawberry.type(
    description="An event of a job: a change of its status, or a note. Events never change, "
    "but for those of a job with a source: a late fact replaces the events after it."
)
class JobEvent(Node):
    @leaf("The job's id, a colon, and the event's number in the job.", {"job_id", "seq"})  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[JobEventRow]) -> strawberry.ID:
        return strawberry.ID(f"{parent.job_id}:{parent.seq}")

    @level("The job that the event belongs to.", {"job_id"})
    async def job(self, parents: Parents[JobEventRow], info: Info) -> Sequence[LazyJob]:
        columns = selected(info, Selections.job)
        ids = [event.job_id for event in parents]
        return await get_jobs(info.context, ids, columns)  # type: ignore[return-value]

    ts: datetime = strawberry.field(description="When the event happened.")
    prev_status: JobStatus | None = strawberry.field(
        description="The status before the event; null if the event created the job."
    )
    next_status: JobStatus = strawberry.field(
        description="The status after the event; equal to `prevStatus` if it did not change."
    )
    attempt: int = strawberry.field(
        description="How many times the job had been started by then, this event included."
    )
    detail: JSON | None = secret_json("detail", "Details that the writer of the event recorded.")

    @leaf(
        "Whether the source of the job reported this very time. False: it is the nearest that is "
        "known. Always true for a job without a source.",
        {"detail"},
    )
    def is_exact(self, parent: strawberry.Parent[JobEventRow]) -> bool:
        return events.is_exact(parent)

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether a row is an event: only rows of events have a `seq`."""
        return hasattr(source, "seq")


@strawberry.type(description="An event and its cursor.")
class JobEventEdge:
    node: JobEvent = strawberry.field(description="The event.")
    cursor: str = strawberry.field(description="The cursor, for `after` and `before`.")


@strawberry.type(description="A page of a list of events.")
class JobEventConnection:
    @strawberry.field(description="The events of the page with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEventEdge]:
        return connections.edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The events of the page.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEvent]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="The position of the page in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @level("The number of events in the whole list.")
    async def count(
        self, parents: Parents[ConnectionSource], at_most: AtMost = None
    ) -> Sequence[Count]:
        return await count_lists(parents, at_most)  # type: ignore[return-value]
