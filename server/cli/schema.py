"""`joblens schema`: print or check the GraphQL schema (SDL)."""

from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from server.cli.errors import INCOMPLETE, fail


def schema(
    file: Annotated[Path, typer.Argument(help="The file that --check compares with.")] = Path(
        "schema.graphql"
    ),
    check: Annotated[
        bool, typer.Option("--check", help="Print nothing; exit 1 unless FILE holds the schema.")
    ] = False,
) -> None:
    """Print the GraphQL schema (SDL)."""
    from schema.schema import sdl  # noqa: PLC0415 - takes a second that other commands save

    text = sdl().rstrip("\n") + "\n"
    if not check:
        typer.echo(text, nl=False)
        return
    try:
        current = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {file}: {error}")
    if current != text:
        diff = unified_diff(current.splitlines(), text.splitlines(), str(file), "schema", "", "")
        typer.echo("\n".join(diff), err=True)
        fail(f"{file} is not the schema; run: joblens schema > {file}", INCOMPLETE)
