"""Create the sample history of `joblens demo`, once, or again with `--fresh`."""

import sys
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

import orjson
import typer

from db import migrations
from db.admin_session import admin_session
from db.checks import is_ledger_empty
from db.commands.deletion import delete_all_jobs
from db.queries.orgs import list_orgs
from db.transfer import import_records
from demo.history import ORGS, sample_history
from server.cli.errors import fail


async def prepare(url: str, *, fresh: bool) -> None:
    """Create the tables and, if there are no jobs or `fresh` is set, the sample history."""
    await migrations.upgrade(url)
    if fresh:
        await _clear(url)
    elif not await is_ledger_empty(url):
        return
    by_org = itemgetter(0)
    records = sorted(sample_history(datetime.now(UTC)), key=by_org)
    for org_id, of_org in groupby(records, key=by_org):
        await import_records(url, org_id, [orjson.dumps(record) for _, record in of_org])
    if not sys.stdout.isatty():
        typer.echo(f"created a sample history of {len(records):,} jobs")


async def _clear(url: str) -> None:
    """Delete the jobs of the demo's organisations; end the command if a user has created one."""
    async with admin_session(url) as session:
        for org_id in ORGS:
            for org in await list_orgs(session, org_id=org_id):
                fail(
                    f"--fresh would delete the jobs of {org.name} ({org_id}), an organisation that "
                    "was created by joblens org create; set JOBLENS_DATA_DIR for another database"
                )
        count = await delete_all_jobs(session, ORGS)
    if count:
        typer.echo(
            f"deleted the {count:,} jobs of the demo's organisations: {', '.join(map(str, ORGS))}",
            err=True,
        )
