"""The server that answers a request, and the client that sent it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from resolvers import orgs, viewer
from resolvers.viewer import Role
from schema.execution.fields import Parents, level
from schema.selections import Info


@strawberry.type(description="The authenticated client of the request.")
class Viewer:
    org_id: UUID = strawberry.field(description="The organisation whose jobs the client sees.")
    subject: str = strawberry.field(description="The name of the client within the organisation.")
    roles: list[Role] = strawberry.field(description="The roles of the client.")
    expires_at: datetime | None = strawberry.field(
        description="When the token of the client expires; null if it never does, or if there is "
        "no authentication."
    )

    @level("The name of the organisation; null if it has none.", {"org_id"})
    async def org_name(self, parents: Parents[viewer.Viewer], info: Info) -> Sequence[str | None]:
        return await orgs.get_org_names(info.context, [each.org_id for each in parents])


@strawberry.type(description="The server that answers.")
class Server:
    version: str = strawberry.field(description="The version of Joblens.")
    now: datetime = strawberry.field(
        description="The time that this response refers to, by the server's clock: give it as "
        "`asOf` to mutations of what you have read."
    )
    page_size_max: int = strawberry.field(description="The largest page of a list.")
    max_cost: int = strawberry.field(description="The largest cost of an operation.")
