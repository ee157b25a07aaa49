"""Errors of commands: one line on standard error, and an exit status."""

import re
from typing import NoReturn

import typer

from server.settings import Settings, SettingsError

INCOMPLETE = 1
NOTHING_DONE = 2


def fail(message: str, status: int = NOTHING_DONE) -> NoReturn:
    """End the command with `message`, its line breaks folded, and the exit status."""
    typer.echo(f"joblens: {' '.join(message.split())}", err=True)
    raise typer.Exit(status)


def read_settings() -> Settings:
    """Read the settings, or end the command with their error."""
    try:
        return Settings.read()
    except SettingsError as error:
        fail(str(error))


def redacted(url: str) -> str:
    """Hide the password in `url`; if in doubt, more than the password."""
    hidden = re.sub(r"(://[^:/?#]*):.+@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"((?:ssl)?password=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)
