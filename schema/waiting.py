"""The type `JobWaiting`, whose source is a resolvers.waiting.Waiting."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from db.queries.queue_activity import MOST_EVENTS, MOST_STARTED
from db.queries.queue_counts import MOST_RUNNING
from resolvers import waiting
from resolvers.waiting import AHEAD, LATELY, MIN_STARTS, MOST_AHEAD, Waiting, WaitingReason
from schema.connections import Count
from schema.execution.fields import Parents, level
from schema.selections import Info

_MINUTES = LATELY.seconds // 60


@strawberry.type(description="Why a queued job waits, and what its queue does.")
class JobWaiting:
    @level("All reasons that hold; none if the job goes next in a queue that is worked on.")
    async def reasons(self, parents: Parents[Waiting], info: Info) -> Sequence[list[WaitingReason]]:
        return await waiting.tell_reasons(info.context, parents)

    due_at: datetime = strawberry.field(
        description="When the job is or was due: `queuedAt` or `scheduledAt`, whichever is later."
    )

    @level(
        "How many due jobs of its queue go first: those of a higher priority, and of the same one "
        "those with a smaller id, which are older. If the job is not due yet, all that are due. "
        "Not exact if there are more, or if more than `atMost` jobs that have a time, due or not, "
        "go first; then at least so many do."
    )
    async def ahead(
        self,
        parents: Parents[Waiting],
        info: Info,
        at_most: Annotated[
            int | None,
            strawberry.argument(
                description=f"Stop counting at this number, which is at most {MOST_AHEAD}; null: "
                f"at {AHEAD}."
            ),
        ] = AHEAD,
    ) -> Sequence[Count]:
        most = AHEAD if at_most is None else at_most
        return await waiting.count_ahead(info.context, parents, most)  # type: ignore[return-value]

    @level(
        "How many jobs of its queue run now. Not exact if the organisation has no tallies and more "
        f"than {MOST_RUNNING} running jobs; then at least so many do."
    )
    async def running(self, parents: Parents[Waiting], info: Info) -> Sequence[Count]:
        return await waiting.count_running(info.context, parents)  # type: ignore[return-value]

    @level(
        f"How many jobs of its queue were started in a minute, over the last {_MINUTES} minutes. "
        f"If the organisation had more than {MOST_EVENTS} events in these, over the time of the "
        f"last {MOST_EVENTS}. Null if none was started, or if that time is less than a minute."
    )
    async def starts_per_minute(
        self, parents: Parents[Waiting], info: Info
    ) -> Sequence[float | None]:
        starts = await waiting.load_starts(info.context, parents)
        return [each.per_minute for each in starts]

    @level(
        "When the job starts if its queue goes on as in the last minutes and no other job is put "
        "before it: now and `(ahead + 1) / startsPerMinute` minutes. Null unless the job is due, "
        f"at most {AHEAD} others go first and all of them were counted, and at least {MIN_STARTS} "
        "jobs of its queue were started in the time of `startsPerMinute`."
    )
    async def eta(self, parents: Parents[Waiting], info: Info) -> Sequence[datetime | None]:
        return await waiting.estimate_starts(info.context, parents)

    @level(
        "When a job of its queue was last started. Before the time of `startsPerMinute`, only the "
        f"{MOST_STARTED} jobs of the organisation that started last are looked at, without those "
        "that were queued again since. Null if there is none among these."
    )
    async def last_start_in_queue(
        self, parents: Parents[Waiting], info: Info
    ) -> Sequence[datetime | None]:
        return await waiting.get_last_starts(info.context, parents)
