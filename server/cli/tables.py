"""Tables that commands print: narrow on a terminal, one line a row for whatever reads a pipe."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 400


def show(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of plain text under their heads."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # A table in a file or a pipe is searched: its lines shall not be folded.
        console = Console(highlight=False, width=PIPE_WIDTH)
    table = Table(*heads, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def moment(at: datetime | None) -> str:
    """Write a time to the second, in UTC; nothing where there is none."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
