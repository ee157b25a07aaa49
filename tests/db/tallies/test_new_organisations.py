"""The first sums of an organisation that the statistics of the tables do not know yet."""

from functools import partial
from uuid import UUID, uuid4

import asyncpg

from db.engine import Scope, create_engine
from db.tallies import summing
from tests.conftest import FreshDatabase
from tests.db.plans import caught, explain_sent
from tests.support.ledger import EPOCH, events, insert, job

JOBS = 600
EVENTS = 3 * JOBS
# More than there are keys.
FEW = 100


async def test_each_row_is_read_a_few_times_only(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    for table in ("job", "job_event"):
        await owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    await fill(url, 20)
    await owner.execute("ANALYZE")
    await owner.close()

    org_id = await fill(url, JOBS)
    engine = create_engine(url)
    assert (await summing.sum_once(engine, org_id)).outcome is summing.Outcome.MORE
    scope = Scope(org_id, statement_timeout_seconds=60, read_only=False)
    limits = {"max_keys": 100, "slice_events": 10 * EVENTS, "minutes_from": EPOCH}
    step = partial(summing._step, org_id=org_id, **limits)
    statements = await caught(engine, scope, step)
    await engine.dispose()
    read = [
        sum((await explain_sent(url, scope, *each))[0].rows_read)
        for each in statements
        if "job_event" in each[0]
    ]
    # The newest transaction, the end of the slice, the errors with their types, and the sums: of
    # each event, its job and the event before; and the same once more, for the sums of minutes,
    # which look up the key of each.
    assert len(read) == 5
    assert sum(read[:4]) <= 5 * EVENTS + FEW
    assert read[4] <= 5 * EVENTS + FEW


async def fill(url: str, count: int) -> UUID:
    """Add an organisation whose jobs have failed."""
    org_id = uuid4()
    rows = [job(number, org_id=org_id, status="failed") for number in range(count)]
    steps = [e for row in rows for e in events(row, "queued", "running", "failed")]
    for step in steps:
        if step["next_status"] == "failed":
            step["detail"] = {"error_code": "E", "error_message": "it failed"}
    await insert(url, rows, steps)
    return org_id
