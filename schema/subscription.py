"""The root type `Subscription`."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import strawberry

from db.criteria import JobCriteria, JobEventCriteria
from resolvers.ids import parse_job_id
from resolvers.live import subscribe
from schema.aggregates import StatusCount
from schema.error_groups import ErrorGroupEdge
from schema.events import JobEventEdge
from schema.filters import JobEventFilter, JobFilter
from schema.jobs import Job
from schema.selections import Info, Selections, selected


@strawberry.type(
    description="Live updates. Each message is one consistent snapshot. A subscription whose "
    "client reads too slowly ends with the code `SLOW_CONSUMER`."
)
class Subscription:
    @strawberry.subscription(
        description="Every event committed after the cursor, or from now on. Each is delivered "
        "once, and those of one job in order. After resuming from a cursor an event may be "
        "delivered again, with the same id."
    )
    async def job_events(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            JobEventFilter | None,
            strawberry.argument(
                description="Only matching events; omitted: all. Conditions on the job are checked "
                "against the job at the time the event is read."
            ),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="The last cursor received; omitted: from now on."),
        ] = None,
    ) -> AsyncIterator[JobEventEdge]:
        redaction = info.context.viewer_redaction

        def criteria(now: datetime) -> JobEventCriteria | None:
            return filter.criteria(now, redaction) if filter else None

        columns = selected(info, Selections.event_edge)
        return await subscribe.subscribe_to_events(info.context, criteria, after, columns)  # type: ignore[return-value]

    @strawberry.subscription(
        description="Every error group that had no error before, once its first error is "
        "committed: after the cursor, or from now on. Each is delivered once, as it was when its "
        "first errors were read. After resuming from a cursor a group may be delivered again."
    )
    async def error_group_seen(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="The last cursor received, or a cursor of `errorGroups` in the order "
                "FIRST_SEEN; omitted: from now on."
            ),
        ] = None,
    ) -> AsyncIterator[ErrorGroupEdge]:
        return await subscribe.subscribe_to_error_groups(info.context, after)  # type: ignore[return-value]

    @strawberry.subscription(
        description="The job now and after each change. Changes in quick succession may be "
        "combined into one message. Completes when the job is terminal."
    )
    async def job(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")],  # noqa: A002
    ) -> AsyncIterator[Job]:
        columns = selected(info, Selections.job)
        return await subscribe.subscribe_to_job(info.context, parse_job_id(id), columns)  # type: ignore[return-value]

    @strawberry.subscription(
        description="The number of jobs in each status, now and whenever it changes."
    )
    async def status_counts(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            JobFilter | None, strawberry.argument(description="Only matching jobs; omitted: all.")
        ] = None,
        every_seconds: Annotated[
            float | None,
            strawberry.argument(
                description="The minimum interval between two messages, in seconds."
            ),
        ] = 1,
    ) -> AsyncIterator[list[StatusCount]]:
        redaction = info.context.viewer_redaction

        def criteria(now: datetime) -> JobCriteria | None:
            return filter.criteria(now, redaction) if filter else None

        pace = 1.0 if every_seconds is None else every_seconds
        return await subscribe.subscribe_to_status_counts(info.context, criteria, pace)  # type: ignore[return-value]
