"""The type `JobEvent`. Its source is a row of `job_event`."""

from datetime import datetime
from typing import Any

import strawberry

from db.queries.events import JobEventRow
from db.statuses import JobStatus
from resolvers.jobs import get_job
from schema.connections import LazyJob
from schema.nodes import Node
from schema.redacted_fields import secret_json
from schema.scalars import JSON
from schema.selections import Info, Selections, selected


@strawberry.type(
    description="An event of a job: a change of its status, or a note. Events never change."
)
class JobEvent(Node):
    @strawberry.field(description="The job's id, a colon, and the event's number in the job.")  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[JobEventRow]) -> strawberry.ID:
        return strawberry.ID(f"{parent.job_id}:{parent.seq}")

    @strawberry.field(description="The job that the event belongs to.")
    async def job(self, parent: strawberry.Parent[JobEventRow], info: Info) -> LazyJob:
        columns = selected(info, Selections.job)
        return await get_job(info.context, parent.job_id, columns)  # type: ignore[return-value]

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

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether a row is an event: only rows of events have a `seq`."""
        return hasattr(source, "seq")
