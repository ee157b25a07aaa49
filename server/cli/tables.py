"""Tables that commands print: fitted to a terminal, or one line a row."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 400


def show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of plain text under their headers."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # Do not wrap lines in a file or a pipe.
        console = Console(highlight=False, width=PIPE_WIDTH)
    table = Table(*headers, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def moment(at: datetime | None) -> str:
    """Format a time to the second, in UTC; empty for None."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
