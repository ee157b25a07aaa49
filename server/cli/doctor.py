"""`joblens doctor`: check settings and database, and report remedies."""

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
from db.distribution_checks import check_distribution
from db.pooling import check_pooler
from db.replica import check_replica
from db.search_owner import check_search_owner
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
    """Check the settings and the database; report what is wrong or weak, with remedies.

    Exit status 1 if anything is wrong; what is weak works, but could be safer. The database is that
    of JOBLENS_DATABASE_URL (postgresql://user:password@host/database), or the embedded one.
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
        Check("settings", True, "valid"),
        *check_hardening(settings, os.environ),
    ]
    if settings.auth == "jwt":
        checks.append(_keys(settings.jwt_jwks or ""))
    url = settings.database_url and settings.database_url.get_secret_value()
    if url:
        return checks + _database_checks(url, settings)
    if not (settings.data_dir / "postgres").exists():
        found = "none yet: JOBLENS_DATABASE_URL is not set, and there is no embedded one"
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
        # The error may quote a part of the URL, and so of the password.
        found, remedy = (
            "JOBLENS_DATABASE_URL is not a usable PostgreSQL URI",
            "see joblens doctor --help",
        )
    except (OSError, *DATABASE_ERRORS) as error:
        found = f"{redacted(url)}: {reason(url, error)}"
        remedy = "start it, or correct JOBLENS_DATABASE_URL"
    return [Check("database", False, found, remedy)]


async def _collect(url: str, settings: Settings) -> list[Check]:
    # The pool, the connections that listen and notify, and those of background tasks.
    tasks = sum(map(bool, (settings.tally_interval_seconds, settings.prune_interval_seconds)))
    wanted = settings.workers * (settings.pool_size + settings.pool_overflow + 2 + tasks)
    checks = [
        check
        async for check in check_database(
            url,
            connections_wanted=wanted,
            connect_timeout_seconds=settings.connect_timeout_seconds,
        )
    ]
    checks += [check async for check in _pooler_checks(url, settings)]
    checks += [
        check async for check in check_distribution(url, pool_overflow=settings.pool_overflow)
    ]
    if not any(check.is_wrong for check in checks):
        checks += [check async for check in _advice(url, settings)]
    return [Check("database", True, redacted(url)), *checks]


async def _pooler_checks(url: str, settings: Settings) -> AsyncIterator[Check]:
    if settings.database_url is None:
        # The embedded one is reached directly.
        return
    async for check in check_pooler(
        url,
        settings.database_pooler,
        settings.listen_url.get_secret_value() if settings.listen_url else None,
        timeout_seconds=settings.connect_timeout_seconds,
    ):
        yield check


async def _advice(url: str, settings: Settings) -> AsyncIterator[Check]:
    if settings.replica_url is not None:
        yield await check_replica(
            settings.replica_url.get_secret_value(),
            timeout_seconds=settings.connect_timeout_seconds,
        )
    yield await check_restored_events(url)
    yield await check_search_owner(url)
    if settings.database_url is not None:
        # The embedded one has only one login.
        yield await check_login_privileges(url)
    if settings.auth == "token":
        yield await check_tokens(url)


def _show(checks: Iterable[Check]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        # Do not wrap lines in a file or a pipe.
        console = Console(highlight=False, width=1_200)
    table = Table("", "check", "found", "remedy", box=box.SIMPLE_HEAD)
    for check in checks:
        mark = MARKS["ok" if check.ok else "weak" if check.is_advice else "wrong"]
        cells = (check.name, check.finding, "" if check.ok else check.remedy)
        table.add_row(mark, *(cell.replace("[", r"\[") for cell in cells))
    console.print(table)
