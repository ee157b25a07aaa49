"""Checks of `joblens doctor` for settings that work, but could be safer."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from db.checks import Check
from schema.execution.persisted_documents import Mode
from server import built_dashboard
from server.hostnames import host_name, is_loopback
from server.settings import Settings

# Reported if JOBLENS_REDACT_KEYS lacks one of these, or it is an exception.
USUAL_SECRETS = ("password", "token", "secret", "authorization", "api_key", "cookie")
ENCRYPTED = {"require", "verify-ca", "verify-full"}


def check_hardening(
    settings: Settings, environ: Mapping[str, str], dashboard: Path = built_dashboard.FOLDER
) -> Iterator[Check]:
    """Yield the checks of the settings.

    `environ`: PGHOST and PGSSLMODE complete the database's URL. `dashboard`: the folder of the
    built page.
    """
    yield _sign_in(settings)
    yield _dashboard(settings, dashboard)
    if settings.auth != "none":
        yield _openness(settings)
        yield _rates(settings)
    if settings.auth == "jwt":
        yield _key_transport(settings.jwt_jwks or "")
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        yield _database_transport(url, environ)
    yield _secrets(settings)
    yield _audit_log(settings)


def _advice(name: str, weakness: str, remedy: str, otherwise: str) -> Check:
    return Check(name, not weakness, weakness or otherwise, remedy, is_advice=True)


def _sign_in(settings: Settings) -> Check:
    proxied = ", ".join([*settings.hosts, *map(str, settings.proxies)])
    is_reachable = settings.auth == "none" and proxied
    weakness = f"no authentication, but reachable through {proxied}"
    otherwise = "none, on loopback only" if settings.auth == "none" else f"by {settings.auth}"
    return _advice("sign-in", weakness if is_reachable else "", "JOBLENS_AUTH=token", otherwise)


def _dashboard(settings: Settings, folder: Path) -> Check:
    is_missing = settings.dashboard and built_dashboard.read_page(folder) is None
    return _advice(
        "dashboard",
        "not built here" if is_missing else "",
        "make setup, or JOBLENS_DASHBOARD=false",
        "at /; its documents are registered" if settings.dashboard else "off",
    )


def _openness(settings: Settings) -> Check:
    if settings.documents is Mode.ONLY:
        own = ", the dashboard's among them" if settings.dashboard else ""
        return _advice("documents", "", "", f"registered ones only{own}")
    on = [name for name in ("graphiql", "introspection") if getattr(settings, name)]
    weakness = f"clients may run any document, with {' and '.join(on)}" if on else ""
    remedies = [f"JOBLENS_{name.upper()}=false" for name in on]
    remedy = f"{' and '.join(remedies)}, or JOBLENS_DOCUMENTS=only"
    return _advice("documents", weakness, remedy, "any; the schema is not shown")


def _rates(settings: Settings) -> Check:
    if settings.rate_points_per_minute == 0:
        remedy = "unset JOBLENS_RATE_POINTS_PER_MINUTE, or set a limit"
        return _advice("rates", "no limit on what a viewer may spend", remedy, "")
    is_unshared = settings.workers > 1 and settings.redis_url is None
    weakness = f"each of {settings.workers} processes counts for itself" if is_unshared else ""
    shared = "in Redis" if settings.redis_url else "in the one process"
    return _advice("rates", weakness, "JOBLENS_REDIS_URL", f"limited, counted {shared}")


def _key_transport(source: str) -> Check:
    weakness = "read over plain HTTP" if urlsplit(source).scheme == "http" else ""
    return _advice(
        "transport of the keys", weakness, "an https: URL, or a file", "by HTTPS or a file"
    )


def _database_transport(url: str, environ: Mapping[str, str]) -> Check:
    split = urlsplit(url)
    parameters = parse_qs(split.query)
    hosts = split.netloc.rpartition("@")[2] or environ.get("PGHOST", "")
    hosts = parameters.get("host", [hosts])[-1]
    mode = parameters.get("sslmode", [environ.get("PGSSLMODE", "")])[-1]
    is_remote = any(map(_is_remote, unquote(hosts).split(",")))
    return _advice(
        "transport to the database",
        # Not the host: if the URL is malformed, it may be a part of the password.
        "to another machine, perhaps without TLS" if is_remote and mode not in ENCRYPTED else "",
        "?sslmode=verify-full in JOBLENS_DATABASE_URL",
        "with TLS" if is_remote else "on this machine",
    )


def _is_remote(host: str) -> bool:
    name = host_name(host) if host and not host.startswith("/") else None
    return name is not None and not is_loopback(name)


def _secrets(settings: Settings) -> Check:
    redaction = settings.redaction()
    shown = [key for key in USUAL_SECRETS if not redaction.is_secret(key)]
    weakness = f"values under {', '.join(shown)} are shown to all" if shown else ""
    remedy = "name them in JOBLENS_REDACT_KEYS, and not in JOBLENS_REDACT_EXCEPT"
    return _advice("secrets in jobs", weakness, remedy, "hidden from all but ADMIN")


def _audit_log(settings: Settings) -> Check:
    weakness = "" if settings.audit_log else "changes and refusals are not recorded"
    return _advice("audit log", weakness, "JOBLENS_AUDIT_LOG=true", "part of the log")
