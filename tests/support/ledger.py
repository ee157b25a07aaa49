"""Writes jobs and events straight into the tables, as the owner, for tests to read back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from db.error_groups.fingerprints import fingerprint_of
from db.statuses import JobStatus
from db.tables import job_event_table, job_table
from tests.support.service import ORG

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int = 0, **values: Any) -> dict[str, Any]:
    """Make a row of `job`: queued, created `number` minutes after EPOCH, unless `values` differ."""
    created = EPOCH + timedelta(minutes=number)
    row: dict[str, Any] = {
        "org_id": UUID(ORG),
        "id": uuid4(),
        "type": "email.send",
        "queue": "default",
        "status": "queued",
        "priority": 0,
        "attempt": 0,
        "max_attempts": 5,
        "backoff_policy": "exponential",
        "created_at": created,
        "updated_at": created,
        "event_seq": 0,
    }
    row.update(values)
    row.setdefault("queued_at", row["created_at"])
    if JobStatus(row["status"]).is_terminal:
        row.setdefault("started_at", created + timedelta(seconds=10))
        row.setdefault("finished_at", created + timedelta(seconds=40))
    elif row["status"] == "running":
        row.setdefault("started_at", created + timedelta(seconds=10))
    error = fingerprint_of(row.get("last_error_code"), row.get("last_error_message"))
    row.setdefault("error_group", error.id if error else None)
    return row


def events(row: dict[str, Any], *steps: str, **values: Any) -> list[dict[str, Any]]:
    """Make rows of `job_event` for a job: one a step, ten seconds apart, from its creation on."""
    made = []
    attempt = 0
    for seq, (before, after) in enumerate(zip([None, *steps], steps, strict=False), start=1):
        attempt += after == "running"
        ts = row["created_at"] + timedelta(seconds=10 * (seq - 1))
        made.append(
            {
                "org_id": row["org_id"],
                "job_id": row["id"],
                "seq": seq,
                "ts": ts,
                "prev_status": before,
                "next_status": after,
                "attempt": attempt,
                **values,
            }
        )
    row["event_seq"] = len(made)
    return made


async def insert(
    url: str, jobs: list[dict[str, Any]], events: list[dict[str, Any]] | None = None
) -> None:
    """Write the rows in one transaction; JSON columns take plain values."""
    connection = await asyncpg.connect(url)
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        schema="pg_catalog",
        format="binary",
    )
    async with connection.transaction():
        for table, rows in ((job_table, jobs), (job_event_table, events or [])):
            names = [column.name for column in table.c if any(column.name in row for row in rows)]
            records = [tuple(row.get(name) for name in names) for row in rows]
            await connection.copy_records_to_table(table.name, records=records, columns=names)
    await connection.close()
