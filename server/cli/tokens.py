"""`joblens token`: create, list and revoke tokens."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from db.admin_session import admin_session
from db.commands.tokens import NewToken, create_token, revoke_token
from db.queries.tokens import TokenRow, list_tokens
from resolvers.viewer import Role
from server.auth.token_format import digest, new_token
from server.cli.database import database, require_head
from server.cli.durations import duration
from server.cli.errors import fail, read_settings
from server.cli.orgs import check_name, find_org
from server.cli.tables import moment, show

app = typer.Typer(
    help="The tokens with which programs and people sign in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("create")
def create(
    org: Annotated[str, typer.Option(help="The organisation, by its id or name.")],
    role: Annotated[Role, typer.Option(help="Its role; each role includes those before it.")],
    name: Annotated[str, typer.Option(help="Who uses it; recorded in the events they cause.")],
    expires: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration,
            metavar="TIME",
            help="How long it is valid, such as 90d, 12h or 30m.",
            show_default="no expiry",
        ),
    ] = None,
) -> None:
    """Create a token and print it. It is shown only once: the database stores only its hash."""
    check_name(name)
    with database(read_settings()) as url:
        require_head(url)
        token, token_id = asyncio.run(_create(url, org, role, name, expires))
    typer.echo(f"token {token_id}, shown only once:", err=True)
    typer.echo(token)


@app.command("list")
def list_(
    org: Annotated[
        str | None,
        typer.Option(help="Only of this organisation, by its id or name.", show_default=False),
    ] = None,
) -> None:
    """List the tokens, without their secrets."""
    with database(read_settings()) as url:
        require_head(url)
        rows = asyncio.run(_list(url, org))
    headers = ("id", "organisation", "name", "roles", "created", "expires", "last used", "state")
    now = datetime.now(UTC)
    show(
        headers,
        [
            (
                *(str(row.id), row.org_name, row.name, " ".join(row.roles)),
                *map(moment, (row.created_at, row.expires_at, row.last_used_at)),
                _state(row, now),
            )
            for row in rows
        ],
    )


@app.command("revoke")
def revoke(
    token_id: Annotated[UUID, typer.Argument(metavar="ID", help="The token's id, as listed.")],
) -> None:
    """Revoke a token. Servers notice within seconds, and end its subscriptions."""
    with database(read_settings()) as url:
        require_head(url)
        if not asyncio.run(_revoke(url, token_id)):
            fail(f"there is no active token {token_id}; see: joblens token list")
    typer.echo(f"revoked {token_id}")


async def _create(
    url: str, org: str, role: Role, name: str, expires: timedelta | None
) -> tuple[str, UUID]:
    now = datetime.now(UTC)
    async with admin_session(url) as session:
        org_id = (await find_org(session, org)).org_id
        token = new_token(org_id)
        new = NewToken(
            digest(token), name, [role.value], None if expires is None else now + expires
        )
        return token, await create_token(session, org_id, new, now)


async def _list(url: str, org: str | None) -> list[TokenRow]:
    async with admin_session(url) as session:
        org_id = None if org is None else (await find_org(session, org)).org_id
        return list(await list_tokens(session, org_id))


async def _revoke(url: str, token_id: UUID) -> bool:
    async with admin_session(url) as session:
        return await revoke_token(session, token_id, datetime.now(UTC))


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return f"revoked {moment(row.revoked_at)}"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "works"
