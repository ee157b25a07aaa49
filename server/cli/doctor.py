"""`joblens doctor`: what is right and what is not, each with its remedy."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from db.checks import (
    Check,
    check_database,
    check_login_privileges,
    check_restored_events,
    check_tokens,
)
from server.auth.jwks import fetch, parse
from server.cli.database import DATABASE_ERRORS, embedded_database, reason
from server.cli.errors import INCOMPLETE, redacted
from server.cli.hardening import check_hardening
from server.settings import Settings, SettingsError

MARKS = {
    "ok": "[green]ok[/green]",
    "weak": "[yellow]weak[/yellow]",
    "wrong": "[bold red]wrong[/bold red]",
}


def doctor() -> None:
    """Check the settings and the database; tell what is wrong or weak, and what mends it.

    Exit status 1 if anything is wrong; what is weak works, but could be safer. The database is the
    one that JOBLENS_DATABASE_URL names (postgresql://user:password@host/database), else the
    embedded one.
    """
    checks = _examine()
    _show(checks)
    if any(check.is_wrong for check in checks):
        raise typer.Exit(INCOMPLETE)


def _examine() -> list[Check]:
    try:
        settings = Settings.read()
    except SettingsError as error:
        return [Check("settings", False, str(error), "unset or correct it")]
    checks = [
        Check("settings", True, "all known, and they fit together"),
        *check_hardening(settings, os.environ),
    ]
    if settings.auth == "jwt":
        checks.append(_keys(settings.jwt_jwks or ""))
    url = settings.database_url and settings.database_url.get_secret_value()
    if url:
        return checks + _database_checks(url, settings)
    if not (settings.data_dir / "postgres").exists():
        found = "none yet, neither embedded nor by JOBLENS_DATABASE_URL"
        return [*checks, Check("database", False, found, "joblens migrate, or joblens demo")]
    with embedded_database(settings.data_dir) as embedded_url:
        return checks + _database_checks(embedded_url, settings)


def _keys(source: str) -> Check:
    try:
        usable = len(set(map(id, parse(fetch(source)).values())))
    except (OSError, ValueError) as error:
        return Check("keys", False, f"{source}: {error}", "correct JOBLENS_JWT_JWKS")
    return Check("keys", True, f"{usable} of {source}")


def _database_checks(url: str, settings: Settings) -> list[Check]:
    try:
        return asyncio.run(_collect(url, settings))
    except ValueError:
        # Its words may quote a part of the URL, and with it of a password.
        found, remedy = (
            "JOBLENS_DATABASE_URL is not a usable PostgreSQL URI",
            "see joblens doctor --help",
        )
    except (OSError, *DATABASE_ERRORS) as error:
        found = f"{redacted(url)}: {reason(url, error)}"
        remedy = "start it, or correct JOBLENS_DATABASE_URL"
    return [Check("database", False, found, remedy)]


async def _collect(url: str, settings: Settings) -> list[Check]:
    # The pool, and the connection that listens for news.
    wanted = settings.workers * (settings.pool_size + settings.pool_overflow + 1)
    checks = [
        check
        async for check in check_database(
            url,
            connections_wanted=wanted,
            connect_timeout_seconds=settings.connect_timeout_seconds,
        )
    ]
    if not any(check.is_wrong for check in checks):
        checks += [check async for check in _advice(url, settings)]
    return [Check("database", True, redacted(url)), *checks]


async def _advice(url: str, settings: Settings) -> AsyncIterator[Check]:
    yield await check_restored_events(url)
    if settings.database_url is not None:
        # The embedded one has a single login, that of whoever tries Joblens on this machine.
        yield await check_login_privileges(url)
    if settings.auth == "token":
        yield await check_tokens(url)


def _show(checks: Iterable[Check]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        # A table in a file or a pipe is searched: its lines shall not be folded.
        console = Console(highlight=False, width=400)
    table = Table("", "check", "found", "remedy", box=box.SIMPLE_HEAD)
    for check in checks:
        mark = MARKS["ok" if check.ok else "weak" if check.is_advice else "wrong"]
        cells = (check.name, check.finding, "" if check.ok else check.remedy)
        table.add_row(mark, *(cell.replace("[", r"\[") for cell in cells))
    console.print(table)
