"""Writers that send random commands at few jobs, all at once: what they leave is one legal path."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.commands import (
    BULK,
    CREATE_MANY,
    MOVE,
    MOVE_MANY,
    OPERATE,
    RECORD,
    Command,
    Ledger,
    commands,
    create_input,
    specs,
)
from tests.properties.lifecycle import Change, ModelJob, Row
from tests.support.effort import examples
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service

WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


def tagged(change: Change, tag: str) -> Change:
    """Mark a change, so that its event tells whose it was."""
    if change.by_operator:
        return replace(change, reason=tag)
    return replace(change, detail={"tag": tag}, result={"tag": tag})


async def fire(ledger: Ledger, command: Command, job_ids: list[str], tag: str) -> int:
    """Send a command, check that its answer is true in itself, and tell how much it changed."""
    field, place, change = command
    job_id = job_ids[place % len(job_ids)]
    change = tagged(change, tag)
    if field == "record":
        await ledger.ask(RECORD, input={"id": job_id, "detail": {"tag": tag}})
        return 1
    if field == "many":
        name = "cancelJobs" if change.to == "canceled" else "retryJobs"
        answer = await ledger.ask(BULK % name, filter={}, limit=2, why=tag)
        assert answer["changed"] == len(answer["jobs"])
        assert answer["changed"] + answer["skipped"] == answer["matched"]["value"]
        return int(answer["changed"])
    if field == "batch" and not change.by_operator:
        # The first job comes last, again.
        wanted = [job_id, *reversed(job_ids), job_id]
        answer = await ledger.ask(MOVE_MANY, input=[change.input(each) for each in wanted])
        assert answer["changed"] + answer["refused"] == len(wanted)
        return int(answer["changed"])
    if change.by_operator:
        name = "cancelJob" if change.to == "canceled" else "retryJob"
        answer = await ledger.ask(OPERATE % name, id=job_id, why=tag)
    else:
        answer = await ledger.ask(MOVE, input=change.input(job_id))
    if answer["__typename"] == "IllegalTransition":
        expected = (change.from_ or answer["current"]).upper()
        assert change.to.upper() not in answer["allowed"] or answer["current"] != expected
        return 0
    assert answer["job"]["status"] == change.to.upper()
    return 1


def replay(job: ModelJob, event: Row) -> None:
    """Carry out in the model what an event tells."""
    detail = dict(event["detail"])
    assert detail.pop("by") == "anonymous"
    if event["prev_status"] == event["next_status"]:
        job.note(detail)
        return
    change = Change(
        event["next_status"],
        error_code=detail.pop("error_code", None),
        error_message=detail.pop("error_message", None),
        reason=detail.pop("reason", None),
        detail=detail,
        result=detail or None,
        by_operator="tag" not in detail,
    )
    assert not job.refuses(change)
    job.change(change)


@examples(25)
@given(
    first=st.lists(specs, min_size=1, max_size=3),
    writers=st.lists(st.lists(commands, min_size=1, max_size=8), min_size=4, max_size=8),
)
async def test_writers_at_once_leave_one_legal_path(
    service: Service, tables: asyncpg.Connection, first: list[Row], writers: list[list[Command]]
) -> None:
    ledger = Ledger(service, tables)
    plain = [{**spec, "idempotency_key": None} for spec in first]
    made = await ledger.ask(CREATE_MANY, input=[create_input(spec) for spec in plain])
    job_ids = [job["id"] for job in made["jobs"]]

    async def work(number: int, orders: list[Command]) -> int:
        changed = 0
        for step, order in enumerate(orders):
            changed += await fire(ledger, order, job_ids, f"{number}-{step}")
        return changed

    changed = await asyncio.gather(*(work(*each) for each in enumerate(writers)))
    rows, events = await ledger.read()
    assert sum(changed) == sum(len(told) - 1 for told in events.values())
    for job_id, spec in zip(job_ids, plain, strict=True):
        job = ModelJob(spec)
        for event in events[job_id][1:]:
            replay(job, event)
        job.check(rows[job_id], events[job_id])


async def test_batches_of_changes_do_not_wait_for_each_other_in_a_circle(
    service: Service, tables: asyncpg.Connection
) -> None:
    ledger = Ledger(service, tables)
    made = await ledger.ask(CREATE_MANY, input=[{"type": "t"}] * 3)
    job_ids = sorted(job["id"] for job in made["jobs"])

    def start(order: list[str]) -> asyncio.Task[Any]:
        batch = [{"id": job_id, "from": "QUEUED", "to": "RUNNING"} for job_id in order]
        return asyncio.create_task(ledger.ask(MOVE_MANY, input=batch))

    # A third writer holds both up in the middle.
    other = tables.transaction()
    await other.start()
    await tables.execute("SELECT FROM job WHERE id = $1 FOR UPDATE", job_ids[1])
    tasks = [start(job_ids), start(job_ids[::-1])]
    await waiting(tables, len(tasks))
    await other.rollback()
    answers = await asyncio.gather(*tasks)
    assert sorted(answer["changed"] for answer in answers) == [0, 3]
    assert all(len(answer["results"]) == 3 for answer in answers)


async def waiting(tables: asyncpg.Connection, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await tables.fetchval(WAITING) < count:
            await asyncio.sleep(0.01)
            # What this transaction has read of the others' state would stay.
            await tables.execute("SELECT pg_stat_clear_snapshot()")


async def test_batches_that_share_keys_do_not_wait_for_each_other_in_a_circle(
    service: Service, tables: asyncpg.Connection
) -> None:
    ledger = Ledger(service, tables)

    def create(keys: str) -> asyncio.Task[Any]:
        batch = [{"type": key, "idempotencyKey": key} for key in keys]
        return asyncio.create_task(ledger.ask(CREATE_MANY, input=batch))

    # A third writer holds both up in the middle, and then gives up.
    other = tables.transaction()
    await other.start()
    await tables.execute(
        "INSERT INTO job (org_id, type, idempotency_key) VALUES ($1, 'm', 'm')", ledger.org
    )
    tasks = [create("amz"), create("zma")]
    await waiting(tables, len(tasks))
    await other.rollback()
    forth, back = await asyncio.gather(*tasks)
    assert sorted([forth["created"], back["created"]]) == [0, 3]
    assert [job["id"] for job in forth["jobs"]] == [job["id"] for job in reversed(back["jobs"])]
