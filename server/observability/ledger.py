"""The figures of organisations among the metrics, read when they are asked for."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic, perf_counter
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.admin_session import admin_session
from db.engine import Scope
from db.facts import list_sources
from db.queries.ledger_figures import LedgerFigures as Figures
from db.queries.ledger_figures import get_ledger_figures
from db.queries.orgs import list_org_ids_of_jobs
from db.request_session import RequestSession
from resolvers.sources import lag_of
from server.settings import Settings
from server.settings.metrics import ALL

STATEMENT_SECONDS = 2.0
# All organisations together; those that were not reached are missing.
ALL_SECONDS = 8.0
KEY = "metrics"
FAILING, TOOK = "joblens_ledger_read_failing", "joblens_ledger_read_seconds"
Readings = defaultdict[str, dict[tuple[str, ...], float]]

log = structlog.get_logger("joblens.metrics")


class LedgerFigures:
    """Reads the figures of the chosen organisations, once for all who ask within some seconds."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._settings, self._engine = settings, engine
        self._reading: asyncio.Task[Readings] | None = None
        self._until = 0.0

    async def read(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        """Read the figures."""
        if not self._settings.metrics_ledger and not self._settings.mirror:
            return {}
        if self._reading is None or (self._reading.done() and monotonic() >= self._until):
            self._until = monotonic() + self._settings.metrics_ledger_seconds
            self._reading = asyncio.create_task(self._read())
        # Whoever asks first may leave early.
        return await asyncio.shield(self._reading)

    async def stop(self) -> None:
        """Cancel a reading."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self) -> Readings:
        began, found = perf_counter(), Readings(dict)
        found[FAILING][()] = 0
        try:
            async with asyncio.timeout(ALL_SECONDS):
                await self._read_all(found)
        except Exception as error:  # noqa: BLE001 - the other metrics are there
            log.warning("cannot read figures for metrics", reason=type(error).__name__)
            found[FAILING][()] = 1
        found[TOOK][()] = perf_counter() - began
        return found

    async def _read_all(self, found: Readings) -> None:
        mirrored = [self._settings.org] if self._settings.mirror else []
        chosen = await self._organisations()
        for org_id in dict.fromkeys([*chosen, *mirrored]):
            scope = Scope(org_id, STATEMENT_SECONDS)
            async with (
                RequestSession(self._engine, scope, KEY) as session,
                session.use() as begun,
            ):
                now = datetime.now(UTC)
                if org_id in chosen:
                    _add(found, str(org_id), await get_ledger_figures(begun, org_id, now), now)
                for row in await list_sources(begun, org_id):
                    _add_source(found, (str(org_id), row.name), row, now)

    async def _organisations(self) -> Sequence[UUID]:
        settings = self._settings
        if ALL not in settings.metrics_ledger:
            listed = [each for each in settings.metrics_ledger if isinstance(each, UUID)]
            return listed[: settings.metrics_ledger_max]
        assert settings.database_url is not None
        found: list[UUID] = []
        async with admin_session(settings.database_url.get_secret_value()) as session:
            async for org_id in list_org_ids_of_jobs(session):
                found.append(org_id)
                if len(found) == settings.metrics_ledger_max:
                    break
        return found


def _add(found: Readings, org: str, figures: Figures, now: datetime) -> None:
    for status, jobs in (figures.jobs or {}).items():
        found["joblens_ledger_jobs"][org, status.value] = jobs
    oldest = figures.oldest_due_at
    waited = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    found["joblens_ledger_due_jobs"][(org,)] = figures.due
    found["joblens_ledger_oldest_due_seconds"][(org,)] = waited
    found["joblens_ledger_failures"][(org,)] = figures.failures


def _add_source(found: Readings, key: tuple[str, str], row: object, now: datetime) -> None:
    lag = lag_of(row, now)
    if lag is not None:
        found["joblens_mirror_lag_seconds"][key] = lag
    held = getattr(row, "backlog_bytes", None)
    if held is not None:
        found["joblens_mirror_held_bytes"][key] = held
    found["joblens_mirror_failing"][key] = getattr(row, "last_error", None) is not None
