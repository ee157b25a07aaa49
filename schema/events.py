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


@strawberry.type(description="Something that happened to a job. Events are never changed.")
class JobEvent(Node):
    @strawberry.field(description="The job's id, a colon, and the event's number in the job.")  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[JobEventRow]) -> strawberry.ID:
        return strawberry.ID(f"{parent.job_id}:{parent.seq}")

    @strawberry.field(description="The job it happened to.")
    async def job(self, parent: strawberry.Parent[JobEventRow], info: Info) -> LazyJob:
        columns = selected(info, Selections.job)
        return await get_job(info.context, parent.job_id, columns)  # type: ignore[return-value]

    ts: datetime = strawberry.field(description="When it happened.")
    prev_status: JobStatus | None = strawberry.field(
        description="The status before; null for the job's creation."
    )
    next_status: JobStatus = strawberry.field(
        description="The status after; the same as before where only something was noted."
    )
    attempt: int = strawberry.field(description="The number of starts until then.")
    detail: JSON | None = secret_json("detail", "What the writer noted about it.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Tell events from other nodes: their rows have a `seq`."""
        return hasattr(source, "seq")
