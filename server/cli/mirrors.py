"""`joblens mirror`: follow the queues that a team runs already."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from db.facts import Source, ensure_source
from db.facts.mirrored import get_source, list_mirrored, update_source
from db.session_scope import create_worker_engine, session_scope
from mirror.checking import find_queue, report, require_readable, rights_of
from mirror.options import MirrorOptions, Way, has_secret
from mirror.reading import QueueError, connect, find_queues
from mirror.runner import RETRIED
from mirror.slots import drop_slot, ensure_publication, ensure_slot, slot_name
from resolvers.sources import lag_of
from server.cli.database import database, reason, require_head
from server.cli.durations import duration
from server.cli.errors import fail, read_settings
from server.cli.mirror_runs import follow
from server.cli.orgs import OrgOption, check_name, choose_org
from server.cli.tables import moment, show

app = typer.Typer(
    help="Follow the queues that you run already.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="The name of the source.")]
Url = Annotated[
    str | None,
    typer.Argument(help="The queue's database, as a PostgreSQL URI.", show_default=False),
]
UrlEnv = Annotated[
    str | None, typer.Option(help="The variable that has the URL.", show_default=False)
]
UrlFile = Annotated[
    Path | None, typer.Option(help="The file that has the URL.", show_default=False)
]
Kind = Annotated[
    str | None,
    typer.Option(help="The kind of queue, if there are several.", show_default="the one found"),
]
Schema = Annotated[
    str | None,
    typer.Option(help="The schema of its tables, if there are several.", show_default="as found"),
]
Since = Annotated[
    str | None,
    typer.Option(
        help="Only jobs that changed at most this long ago, such as 30d, and those that wait.",
        show_default="all",
    ),
]


@app.command("check")
def check(
    url: Url = None,
    url_env: UrlEnv = None,
    url_file: UrlFile = None,
) -> None:
    """Say which queue a database has, what the login may see, and what will be missed."""
    options = _options(url, url_env, url_file)
    for name, finding in _connected(_check, options):
        typer.echo(f"{name}: {finding}")


@app.command("add")
def add(
    name: Name,
    url: Url = None,
    url_env: UrlEnv = None,
    url_file: UrlFile = None,
    org: Annotated[str | None, OrgOption] = None,
    kind: Kind = None,
    schema: Schema = None,
    since: Since = None,
    way: Annotated[
        Way,
        typer.Option(help="By SELECT again and again, or by a logical replication slot."),
    ] = "poll",
    interval: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds from reading to reading.")
    ] = 1.0,
) -> None:
    """Add a queue; joblens mirror run follows it.

    The URL's password is not kept: name the variable or the file that has the URL.
    """
    check_name(name)
    if url is not None and has_secret(url):
        fail("the URL has a password, which is not kept: use --url-env or --url-file")
    options = replace(_options(url, url_env, url_file), schema=schema, interval_seconds=interval)
    earliest = None if since is None else datetime.now(UTC) - duration(since)
    found_kind, version = _connected(_find, options, kind)
    settings = read_settings()
    with database(settings) as ledger:
        require_head(ledger)
        org_id = asyncio.run(choose_org(ledger, org, settings.org)).id
        if way == "slot":
            options = replace(options, way=way, slot=slot_name(org_id, name))
            _connected(_make_slot, options, found_kind)
        values = {
            "settings": options.stored,
            "checkpoint": {"backfill": {"since": earliest.isoformat()}} if earliest else {},
            "schema_version": version,
            "last_error": None,
        }
        asyncio.run(_in_ledger(ledger, _add, org_id, Source(name, found_kind), values))
    typer.echo(f"added {name}: {found_kind}, version {version}; to follow it: joblens mirror run")


@app.command("list")
def list_(org: Annotated[str | None, OrgOption] = None) -> None:
    """List the mirrors of an organisation, and how they are."""
    settings = read_settings()
    with database(settings) as ledger:
        require_head(ledger)
        org_id = asyncio.run(choose_org(ledger, org, settings.org)).id
        rows = asyncio.run(_in_ledger(ledger, _list, org_id))
    headers = ("name", "kind", "version", "way", "last seen", "lag", "WAL held", "error")
    show(headers, [_cells(row) for row in rows])


@app.command("run")
def run(
    names: Annotated[
        list[str] | None, typer.Argument(help="The sources.", show_default="all")
    ] = None,
    org: Annotated[str | None, OrgOption] = None,
    once: Annotated[bool, typer.Option("--once", help="Copy what there is, and end.")] = False,
) -> None:
    """Follow the queues of an organisation until Ctrl-C.

    One process follows a source at a time; others wait to take over. A queue or ledger that is away
    is tried again for ever.
    """
    settings = read_settings()
    with database(settings) as ledger:
        require_head(ledger)
        org_id = asyncio.run(choose_org(ledger, org, settings.org)).id
        found = [row.name for row in asyncio.run(_in_ledger(ledger, _list, org_id))]
        if missing := sorted(set(names or ()) - set(found)):
            fail(f"there is no mirror {', '.join(missing)}; see: joblens mirror list")
        wanted = names or found
        if not wanted:
            fail("there is no mirror yet; see: joblens mirror add --help")
        try:
            asyncio.run(follow(ledger, org_id, wanted, once=once))
        except RETRIED as error:
            fail(str(error).partition("\n")[0] or type(error).__name__)


@app.command("remove")
def remove(
    name: Name,
    org: Annotated[str | None, OrgOption] = None,
    keep_slot: Annotated[
        bool,
        typer.Option("--keep-slot", help="Leave the slot: its server is gone for good."),
    ] = False,
) -> None:
    """Stop following a queue, and drop its slot. Its jobs stay in the ledger."""
    settings = read_settings()
    with database(settings) as ledger:
        require_head(ledger)
        org_id = asyncio.run(choose_org(ledger, org, settings.org)).id
        rows = {row.name: row for row in asyncio.run(_in_ledger(ledger, _list, org_id))}
        if name not in rows:
            fail(f"there is no mirror {name}; see: joblens mirror list")
        options = MirrorOptions.read(rows[name].settings)
        # First: an unread slot would fill the disk of the queue's server.
        if options.slot is not None and not keep_slot:
            _connected(_drop_slot, options)
        asyncio.run(_in_ledger(ledger, _remove, org_id, name))
    typer.echo(f"removed {name}; its jobs stay", err=True)


def _options(url: str | None, url_env: str | None, url_file: Path | None) -> MirrorOptions:
    if sum(each is not None for each in (url, url_env, url_file)) != 1:
        fail("give the URL of the queue's database: as an argument, or by --url-env or --url-file")
    return MirrorOptions(
        url=url, url_env=url_env, url_file=None if url_file is None else str(url_file.absolute())
    )


def _connected(work: Callable[..., Any], options: MirrorOptions, *arguments: Any) -> Any:
    """Run work with the queue's database, or end the command with what is wrong."""

    async def connected() -> Any:
        connection = await connect(options.address())
        try:
            return await work(connection, options, *arguments)
        finally:
            await connection.close()

    try:
        return asyncio.run(connected())
    except QueueError as error:
        fail(str(error))
    except RETRIED as error:
        fail(f"the queue's database: {reason('', error)}")
    except ValueError:
        # The error may quote a part of the URL, and so of the password.
        fail("the URL of the queue's database is not a usable PostgreSQL URI")


async def _check(connection: Any, _options: MirrorOptions) -> list[tuple[str, str]]:
    found = await find_queues(connection)
    if not found:
        raise QueueError("no queue was found that Joblens knows")
    return [line for each in found for line in report(each, await rights_of(connection, each))]


async def _find(connection: Any, options: MirrorOptions, kind: str | None) -> tuple[str, str]:
    found = await find_queue(connection, kind, options.schema)
    await require_readable(connection, found)
    return found.adapter.kind, str(found.version)


async def _make_slot(connection: Any, options: MirrorOptions, kind: str) -> None:
    found = await find_queue(connection, kind, options.schema)
    if faults := (await rights_of(connection, found)).slot_faults:
        raise QueueError("; ".join(faults))
    assert options.slot is not None
    await ensure_publication(connection, found, options.slot)
    await ensure_slot(connection, options.slot)


async def _drop_slot(connection: Any, options: MirrorOptions) -> None:
    assert options.slot is not None
    await drop_slot(connection, options.slot)


async def _in_ledger(url: str, work: Callable[..., Any], *arguments: Any) -> Any:
    engine = create_worker_engine(url)
    try:
        return await work(engine, *arguments)
    finally:
        await engine.dispose()


async def _add(engine: AsyncEngine, org_id: UUID, source: Source, values: dict[str, Any]) -> None:
    async with session_scope(org_id, engine=engine) as session:
        row = await get_source(session, org_id, source.name)
        if row is not None and (row.settings is not None or row.kind != source.kind):
            fail(f"there is a source {source.name} already; see: joblens mirror list")
        source_id = await ensure_source(session, org_id, source)
        await update_source(session, org_id, source_id, values)


async def _list(engine: AsyncEngine, org_id: UUID) -> Sequence[Any]:
    async with session_scope(org_id, engine=engine) as session:
        return await list_mirrored(session, org_id)


async def _remove(engine: AsyncEngine, org_id: UUID, name: str) -> None:
    cleared = dict.fromkeys(("settings", "checkpoint", "last_error", "lag_seconds"))
    async with session_scope(org_id, engine=engine) as session:
        row = await get_source(session, org_id, name)
        if row is not None:
            await update_source(session, org_id, row.id, {**cleared, "backlog_bytes": None})


def _cells(row: Any) -> tuple[str, ...]:
    way: Way = MirrorOptions.read(row.settings).way
    seconds = lag_of(row, datetime.now(UTC))
    lag = "" if seconds is None else f"{seconds:.1f} s"
    held = "" if row.backlog_bytes is None else f"{row.backlog_bytes:,} bytes"
    version, error = row.schema_version or "", row.last_error or ""
    return row.name, row.kind, version, way, moment(row.last_seen_at), lag, held, error
