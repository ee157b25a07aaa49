"""Durations as options of commands take and tables show them, such as 90d."""

import re
from datetime import timedelta

import typer

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)


def duration(text: str) -> timedelta:
    """Parse a duration. Raises typer.BadParameter."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration such as 90d, 12h or 30m")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def show_duration(length: timedelta) -> str:
    """Write a duration in its longest unit that needs no fraction; others in seconds."""
    for unit, name in reversed(UNITS.items()):
        count, rest = divmod(length, timedelta(**{name: 1}))
        if not rest:
            return f"{count}{unit}"
    return f"{length.total_seconds():g}s"
