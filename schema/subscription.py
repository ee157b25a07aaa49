"""The root type `Subscription`."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import strawberry

from db.criteria import JobCriteria, JobEventCriteria
from resolvers.ids import parse_job_id
from resolvers.live import subscribe
from schema.aggregates import StatusCount
from schema.connections import JobEventEdge
from schema.filters import JobEventFilter, JobFilter
from schema.jobs import Job
from schema.selections import Info, Selections, selected


@strawberry.type(
    description="What can be watched. Each message is one consistent snapshot. A client that takes "
    "them too slowly is ended with the code `SLOW_CONSUMER`."
)
class Subscription:
    @strawberry.subscription(
        description="Every event that is committed after the cursor, or after now, each once, and "
        "those of one job in their order. After a resume an event may come again; its id is the "
        "same."
    )
    async def job_events(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            JobEventFilter | None,
            strawberry.argument(
                description="Which events; left out: all. Conditions on the job hold for the job "
                "as it is when the event is read."
            ),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="The last cursor received; left out: from now on."),
        ] = None,
    ) -> AsyncIterator[JobEventEdge]:
        hiding = info.context.hiding

        def criteria(now: datetime) -> JobEventCriteria | None:
            return filter.criteria(now, hiding) if filter else None

        columns = selected(info, Selections.event_edge)
        return await subscribe.subscribe_to_events(info.context, criteria, after, columns)  # type: ignore[return-value]

    @strawberry.subscription(
        description="The job now, and after each of its changes. Changes in quick succession may "
        "come as one. It completes once the job is terminal."
    )
    async def job(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")],  # noqa: A002
    ) -> AsyncIterator[Job]:
        columns = selected(info, Selections.job)
        return await subscribe.subscribe_to_job(info.context, parse_job_id(id), columns)  # type: ignore[return-value]

    @strawberry.subscription(
        description="How many jobs have each status, now, and again whenever that changes."
    )
    async def status_counts(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            JobFilter | None, strawberry.argument(description="Which jobs; left out: all.")
        ] = None,
        every_seconds: Annotated[
            float | None,
            strawberry.argument(description="How many seconds lie between two messages at least."),
        ] = 1,
    ) -> AsyncIterator[list[StatusCount]]:
        hiding = info.context.hiding

        def criteria(now: datetime) -> JobCriteria | None:
            return filter.criteria(now, hiding) if filter else None

        pace = 1.0 if every_seconds is None else every_seconds
        return await subscribe.subscribe_to_status_counts(info.context, criteria, pace)  # type: ignore[return-value]
