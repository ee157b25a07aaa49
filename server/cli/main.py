"""The command `joblens`, its groups and its version."""

from typing import Annotated

import typer

from resolvers.version import installed_version
from server.cli import (
    distribution,
    doctor,
    embedded,
    exports,
    imports,
    migrations,
    mirrors,
    orgs,
    pruning,
    retention,
    schema,
    serving,
    tallies,
    tokens,
)

app = typer.Typer(
    name="joblens",
    help="Joblens: a GraphQL API for inspecting background jobs.",
    no_args_is_help=True,
    # Plain text: errors are one line, and help can be piped.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(serving.demo)
app.command("serve")(serving.serve)
app.command("migrate")(migrations.migrate)
app.command("doctor")(doctor.doctor)
app.command("import")(imports.import_jobs)
app.command("export")(exports.export_jobs)
app.command("tally")(tallies.tally)
app.command("prune")(pruning.prune_jobs)
app.command("distribute")(distribution.distribute_tables)
app.command("schema")(schema.schema)
app.add_typer(orgs.app, name="org")
app.add_typer(tokens.app, name="token")
app.add_typer(retention.app, name="retention")
app.add_typer(mirrors.app, name="mirror")
app.add_typer(embedded.app, name="db")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"joblens {installed_version()}")
        raise typer.Exit


@app.callback()
def main(
    _show: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Joblens: a GraphQL API for inspecting background jobs."""
