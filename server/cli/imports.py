"""`joblens import`: import job histories from a file."""

import asyncio
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from db.transfer import ImportReport, import_records
from server.cli.database import DATABASE_ERRORS, database, require_head
from server.cli.errors import INCOMPLETE, NOTHING_DONE, fail, read_settings
from server.cli.import_source import ImportSource, RejectsFile, open_source
from server.cli.orgs import OrgOption, choose_org


def import_jobs(
    file: Annotated[
        str, typer.Argument(help="NDJSON, plain or gzip; - for standard input.", metavar="FILE|-")
    ],
    org: Annotated[str | None, OrgOption] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the lines that are not imported to this file, as they are.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Import jobs with their events, one JSON object a line.

    Importing the same file again changes nothing; a job with a longer history is updated.
    Invalid lines are reported, and do not stop the import. Exit status: 0 all lines are imported,
    1 some are not, 2 nothing was done.
    """
    settings = read_settings()
    console = Console(stderr=True)
    with ExitStack() as stack:
        source, rejected = _open(stack, file, rejects, console)
        url = stack.enter_context(database(settings))
        require_head(url)
        chosen = asyncio.run(choose_org(url, org, settings.org, may_be_new=True))
        typer.echo(f"importing into {chosen}", err=True)
        report = _import(url, chosen.id, source, rejected, console)
    rejected.report_rest()
    updated = f"{report.updated:,} updated, " if report.updated else ""
    typer.echo(
        f"{report.imported:,} imported, {updated}{report.unchanged:,} there already, "
        f"{rejected.count:,} rejected",
        err=True,
    )
    if rejected.count:
        raise typer.Exit(INCOMPLETE)


def _open(
    stack: ExitStack, file: str, rejects: Path | None, console: Console
) -> tuple[ImportSource, RejectsFile]:
    try:
        source = stack.enter_context(open_source(file))
        if rejects and rejects.exists() and file != "-" and rejects.samefile(file):
            fail("--rejects names the file to import")
        return source, RejectsFile(
            console, stack.enter_context(rejects.open("wb")) if rejects else None
        )
    except OSError as error:
        fail(f"cannot open {error.filename or file}: {error.strerror or error}")


def _import(
    url: str, org_id: UUID, source: ImportSource, rejected: RejectsFile, console: Console
) -> ImportReport:
    batches = 0
    with _progress(console) as bar:
        task = bar.add_task("", total=source.size, lines=0)

        def advance(lines: int) -> None:
            nonlocal batches
            batches += 1
            bar.update(task, completed=source.position, lines=lines)

        try:
            return asyncio.run(
                import_records(
                    url,
                    org_id,
                    source.lines(rejected),
                    on_reject=rejected.add,
                    on_progress=advance,
                )
            )
        except asyncpg.InsufficientPrivilegeError:
            raise  # reported by `database`
        except (EOFError, zlib.error, OSError, *DATABASE_ERRORS) as error:
            kept = "; lines before that are imported: run it again to continue" if batches else ""
            fail(f"the import failed: {error}{kept}", INCOMPLETE if batches else NOTHING_DONE)


def _progress(console: Console) -> Progress:
    """Make a bar of the bytes read; for standard input, whose size is unknown, only of lines."""
    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
