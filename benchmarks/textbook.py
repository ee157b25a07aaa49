"""Contestant (b): the same page as the documentation of Strawberry and SQLAlchemy shows it.

ORM objects, default field resolvers, a DataLoader for the events, one AsyncSession a request.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import Enum as EnumColumn
from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import SchemaExtension
from strawberry.scalars import JSON

from benchmarks.ledger import ORG


@strawberry.enum
class JobStatus(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD_LETTER = "dead_letter"


STATUS_COLUMN = EnumColumn(
    JobStatus, native_enum=False, values_callable=lambda enum: [member.value for member in enum]
)


class Model(DeclarativeBase):
    type_annotation_map = {JobStatus: STATUS_COLUMN, dict[str, Any]: JSONB}  # noqa: RUF012


class JobModel(Model):
    __tablename__ = "job"

    org_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    queue: Mapped[str]
    status: Mapped[JobStatus]
    priority: Mapped[int]
    attempt: Mapped[int]
    max_attempts: Mapped[int]
    requested_by: Mapped[str | None]
    last_error_code: Mapped[str | None]
    last_error_message: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobEventModel(Model):
    __tablename__ = "job_event"

    org_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[datetime]
    prev_status: Mapped[JobStatus | None]
    next_status: Mapped[JobStatus]
    attempt: Mapped[int]
    detail: Mapped[dict[str, Any] | None]

    @property
    def id(self) -> str:
        return f"{self.job_id}:{self.seq}"


Info = strawberry.Info[dict[str, Any], None]


@strawberry.type
class JobEvent:
    id: strawberry.ID
    ts: datetime
    prev_status: JobStatus | None
    next_status: JobStatus
    attempt: int
    detail: JSON | None


@strawberry.type
class JobEventConnection:
    nodes: list[JobEvent]


@strawberry.type
class Job:
    id: uuid.UUID
    type: str
    queue: str
    status: JobStatus
    priority: int
    attempt: int
    max_attempts: int
    requested_by: str | None
    last_error_code: str | None
    last_error_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @strawberry.field
    async def events(self, info: Info, first: int = 50) -> JobEventConnection:
        events = await info.context["events_of_job"].load(self.id)
        return JobEventConnection(nodes=events[:first])


@strawberry.type
class JobConnection:
    nodes: list[Job]


@strawberry.input
class JobFilter:
    status: list[JobStatus] | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def jobs(
        self,
        info: Info,
        filter: JobFilter | None = None,  # noqa: A002
        first: int = 50,
    ) -> JobConnection:
        statement = select(JobModel).where(JobModel.org_id == ORG)
        if filter and filter.status:
            statement = statement.where(JobModel.status.in_(filter.status))
        newest_first = statement.order_by(JobModel.created_at.desc(), JobModel.id.desc())
        jobs = await info.context["session"].scalars(newest_first.limit(first))
        return JobConnection(nodes=jobs.all())


async def load_events(session: AsyncSession, ids: list[uuid.UUID]) -> list[list[JobEventModel]]:
    """Load the events of many jobs, oldest first."""
    statement = select(JobEventModel).where(
        JobEventModel.org_id == ORG, JobEventModel.job_id.in_(ids)
    )
    by_job = defaultdict(list)
    for event in await session.scalars(statement.order_by(JobEventModel.seq)):
        by_job[event.job_id].append(event)
    return [by_job[job_id] for job_id in ids]


engine = create_async_engine(
    "postgresql+asyncpg://" + os.environ.get("BENCHMARK_DATABASE_URL", "").partition("://")[2]
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Session(SchemaExtension):
    """Opens the request's session."""

    async def on_operation(self) -> AsyncIterator[None]:
        async with sessions() as session:
            context = self.execution_context.context
            context["session"] = session
            context["events_of_job"] = DataLoader(lambda ids: load_events(session, ids))
            yield


schema = strawberry.Schema(Query, extensions=[Session])
app = Starlette(routes=[Route("/graphql", GraphQL(schema))])
