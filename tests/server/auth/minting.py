"""Tokens for tests, made as `joblens token create` makes them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.admin_session import admin_session
from db.commands.orgs import create_org
from db.commands.tokens import NewToken, create_token, revoke_token
from resolvers.viewer import Role
from server.auth.token_format import digest, new_token
from tests.support.service import ORG


@dataclass(frozen=True, slots=True)
class Minted:
    id: UUID
    text: str

    @property
    def bearer(self) -> str:
        return f"Bearer {self.text}"


async def mint(
    url: str,
    role: Role = Role.ADMIN,
    *,
    org: str = ORG,
    name: str = "tests",
    expires: timedelta | None = None,
) -> Minted:
    """Make a token, and its organisation where there is none."""
    now, org_id = datetime.now(UTC), UUID(org)
    text = new_token(org_id)
    until = None if expires is None else now + expires
    async with admin_session(url) as session:
        await create_org(session, org_id, f"org {org}", now)
        token = NewToken(digest(text), name, [role.value], until)
        return Minted(await create_token(session, org_id, token, now), text)


async def revoke(url: str, minted: Minted) -> None:
    async with admin_session(url) as session:
        assert await revoke_token(session, minted.id, datetime.now(UTC))
