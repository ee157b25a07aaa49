"""The life of jobs under random commands, one after another, against a model in plain Python."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.properties.commands import (
    BULK,
    CREATE,
    CREATE_MANY,
    DELETE,
    MOVE,
    OPERATE,
    OPERATIONS,
    RECORD,
    RERUN,
    RESCHEDULE,
    Ledger,
    broken,
    changes,
    check_answer,
    copies,
    create_input,
    details,
    filters,
    places,
    reasons,
    schedules,
    specs,
)
from tests.properties.lifecycle import Change, ModelJob, Row
from tests.properties.predicates import Filter, meets
from tests.support.citus import BOTH_WAYS, serving_as
from tests.support.effort import examples
from tests.support.service import OTHER_ORG, Service


@pytest.fixture(scope="module", **BOTH_WAYS)
async def service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    async with serving_as(request, database_url) as running:
        yield running


class Lifecycle(RuleBasedStateMachine):
    """Sends commands, one after another, and after each compares everything with the model."""

    def __init__(self, ledger: Ledger, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.ledger = ledger
        self.loop = loop
        self.jobs: dict[str, ModelJob] = {}
        self.keys: dict[str, str] = {}
        self.rows: dict[str, Row] = {}
        self.events: dict[str, list[Row]] = {}

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def send(self, query: str, **variables: Any) -> Any:
        answer = self.wait(self.ledger.ask(query, **variables))
        self.rows, self.events = self.wait(self.ledger.read())
        return answer

    def job_at(self, place: int) -> str:
        return [*self.jobs, *[str(uuid4())] * 6][place]

    def check_job(self, answer: Row) -> None:
        check_answer(answer, self.rows[answer["id"]], self.events[answer["id"]])

    def made(self, spec: Row, job_id: str) -> None:
        self.jobs[job_id] = ModelJob(spec)
        if spec["idempotency_key"] is not None:
            self.keys[spec["idempotency_key"]] = job_id

    @initialize(first=specs, second=specs)
    def begin(self, first: Row, second: Row) -> None:
        self.create({**first, "idempotency_key": None})
        self.create(second)

    @rule(spec=specs)
    def create(self, spec: Row) -> None:
        holder = self.keys.get(spec["idempotency_key"])
        answer = self.send(CREATE, input=create_input(spec))
        if holder and not self.jobs[holder].same_input(spec):
            assert answer["__typename"] == "IdempotencyConflict"
            assert answer["existing"]["id"] == holder
            self.check_job(answer["existing"])
            return
        assert answer["created"] is (holder is None)
        if holder is None:
            self.made(spec, answer["job"]["id"])
        else:
            assert answer["job"]["id"] == holder
        self.check_job(answer["job"])

    @rule(batch=st.lists(specs, max_size=4))
    def create_many(self, batch: list[Row]) -> None:
        answer = self.send(CREATE_MANY, input=[create_input(spec) for spec in batch])
        # Who holds a key: a job, or the number of a spec of this batch.
        holders: dict[str, str | int] = dict(self.keys)
        for number, spec in enumerate(batch):
            holder = holders.setdefault(spec["idempotency_key"] or f"none {number}", number)
            if isinstance(holder, str) and not self.jobs[holder].same_input(spec):
                assert answer["__typename"] == "IdempotencyConflict"
                assert answer["existing"]["id"] == holder
                return
            if isinstance(holder, int) and not ModelJob(batch[holder]).same_input(spec):
                assert answer["__typename"] == "InvalidInput"
                assert answer["field"] == f"input.{number}.idempotencyKey"
                return
        ids = [job["id"] for job in answer["jobs"]]
        created = 0
        for number, (spec, job_id) in enumerate(zip(batch, ids, strict=True)):
            holder = holders[spec["idempotency_key"] or f"none {number}"]
            if holder == number:
                self.made(spec, job_id)
                created += 1
            else:
                assert job_id == (holder if isinstance(holder, str) else ids[holder])
        assert (answer["created"], answer["known"]) == (created, len(batch) - created)
        for job in answer["jobs"]:
            self.check_job(job)

    @rule(place=places, given=copies, why=reasons)
    def rerun(self, place: int, given: Row, why: str | None) -> None:
        job_id = self.job_at(place)
        answer = self.send(RERUN, id=job_id, why=why, **given)
        if given.get("queue") == "":
            assert answer == {"__typename": "InvalidInput", "field": "queue"}
            return
        if job_id not in self.jobs:
            assert answer == {"__typename": "JobNotFound", "id": job_id}
            return
        copied = self.jobs[job_id]
        changed = {name: value for name, value in given.items() if value is not None}
        fresh = {"idempotency_key": None, "scheduled_at": None}
        spec = {**copied.given, "max_attempts": copied.max_attempts, **fresh, **changed}
        told = {"rerun_of": job_id} if why is None else {"rerun_of": job_id, "reason": why}
        assert answer["created"] is True
        self.jobs[answer["job"]["id"]] = ModelJob(spec, told)
        self.check_job(answer["job"])

    @rule(place=places, given=schedules, why=reasons)
    def reschedule(self, place: int, given: Row, why: str | None) -> None:
        job_id = self.job_at(place)
        before = self.rows.get(job_id)
        answer = self.send(RESCHEDULE, id=job_id, why=why, **given)
        if before is None:
            assert answer == {"__typename": "JobNotFound", "id": job_id}
            return
        job = self.jobs[job_id]
        if job.status == "queued":
            assert answer["__typename"] == "JobPayload"
            job.reschedule(given, before, self.rows[job_id], why)
        else:
            assert answer["__typename"] == "IllegalTransition"
            assert (answer["current"], answer["allowed"]) == (job.status.upper(), [])
        self.check_job(answer["job"])

    @rule(place=places, change=changes)
    def move(self, place: int, change: Change) -> None:
        job_id = self.job_at(place)
        self.expect(job_id, change, self.send(MOVE, input=change.input(job_id)))

    @rule(place=places, error=st.sampled_from(["E1", "E2"]))
    def run_and_fail(self, place: int, error: str) -> None:
        for change in (Change("running"), Change("failed", error_code=error)):
            self.move(place, change)

    @rule(place=places, field=st.sampled_from(sorted(OPERATIONS)), why=reasons)
    def operate(self, place: int, field: str, why: str | None) -> None:
        job_id = self.job_at(place)
        change = Change(OPERATIONS[field], reason=why, by_operator=True)
        self.expect(job_id, change, self.send(OPERATE % field, id=job_id, why=why))

    def expect(self, job_id: str, change: Change, answer: Any) -> None:
        """Check what came of a change, and carry it out in the model."""
        job = self.jobs.get(job_id)
        if job is None:
            assert answer == {"__typename": "JobNotFound", "id": job_id}
            return
        if job.refuses(change):
            assert answer["__typename"] == "IllegalTransition"
            assert answer["current"] == job.status.upper()
            assert answer["requested"] == change.to.upper()
            assert answer["allowed"] == job.allowed(by_operator=change.by_operator)
        else:
            assert answer["__typename"] == "JobPayload"
            job.change(change)
        assert answer["job"]["id"] == job_id
        self.check_job(answer["job"])

    @rule(
        field=st.sampled_from(sorted(OPERATIONS)),
        filter_=filters,
        limit=st.integers(1, 3) | st.just(1_000),
        seen=places,
        why=reasons,
    )
    def operate_on_many(
        self, field: str, filter_: Filter, limit: int, seen: int, why: str | None
    ) -> None:
        as_of = self.time_seen(seen)
        matching = self.matching(filter_)
        given = {"filter": filter_, "limit": limit, "why": why, "asOf": as_of and as_of.isoformat()}
        dry = self.send(BULK % f"{field}s", **given, dry=True)
        # That nothing was written, the invariant shows: the model is as it was.
        self.tables_hold_what_the_model_does()
        answer = self.send(BULK % f"{field}s", **given)
        change = Change(OPERATIONS[field], reason=why, by_operator=True)
        left = [self.reason(row, change, as_of) for row in matching[:limit]]
        willing = [
            str(row["id"]) for row, why_not in zip(matching, left, strict=False) if not why_not
        ]
        for each in (dry, answer):
            exact = len(matching) <= limit
            assert each["matched"] == {"value": len(left), "isExact": exact}
            assert each["skipped"] == len(left) - len(willing)
            assert counted(each["skips"]) == Counter(filter(None, left))
        assert (dry["changed"], dry["jobs"]) == (0, [])
        assert [job["id"] for job in dry["samples"]] == willing[:5]
        assert all(job["status"] == self.jobs[job["id"]].status.upper() for job in dry["samples"])
        for job_id in willing:
            self.jobs[job_id].change(change)
        assert (answer["changed"], answer["samples"]) == (len(willing), [])
        assert [job["id"] for job in answer["jobs"]] == willing
        for job in answer["jobs"]:
            self.check_job(job)

    @rule(filter_=filters, limit=st.just(1), seen=places)
    def delete_many(self, filter_: Filter, limit: int, seen: int) -> None:
        as_of = self.time_seen(seen)
        given = {"filter": filter_, "limit": limit, "asOf": as_of and as_of.isoformat()}
        matching = self.matching(filter_)
        dry = self.send(DELETE, **given, dry=True)
        self.tables_hold_what_the_model_does()
        answer = self.send(DELETE, **given)
        left = [self.newer(row, as_of) for row in matching[:limit]]
        gone = [str(row["id"]) for row, why_not in zip(matching, left, strict=False) if not why_not]
        for each in (dry, answer):
            assert each["skipped"] == len(left) - len(gone)
            assert counted(each["skips"]) == Counter(filter(None, left))
        assert dry["matched"] == {"value": len(matching), "isExact": True}
        assert answer["matched"]["value"] == len(left)
        assert (dry["deleted"], answer["deleted"]) == (0, len(gone))
        assert [job["id"] for job in dry["samples"]] == gone
        for job_id in gone:
            key = self.jobs.pop(job_id).given["idempotency_key"]
            self.keys.pop(key, None)

    def matching(self, filter_: Filter) -> list[Row]:
        now = datetime.now(UTC)
        found = [row for row in self.rows.values() if meets(row, filter_, now)]
        return sorted(found, key=lambda row: (row["created_at"], row["id"]), reverse=True)

    def time_seen(self, place: int) -> datetime | None:
        """When the job there last changed; no time where there is none."""
        times = [row["updated_at"] for row in self.rows.values()]
        return times[place] if place < len(times) else None

    def newer(self, row: Row, as_of: datetime | None) -> tuple[str, str] | None:
        if as_of is None or row["updated_at"] <= as_of:
            return None
        return "CHANGED_SINCE", row["status"].upper()

    def reason(self, row: Row, change: Change, as_of: datetime | None) -> tuple[str, str] | None:
        """Why a job is left alone, and its status."""
        refused = self.jobs[str(row["id"])].refuses(change)
        return self.newer(row, as_of) or (("STATUS", row["status"].upper()) if refused else None)

    @rule(place=places, detail=details)
    def record(self, place: int, detail: Row) -> None:
        job_id = self.job_at(place)
        answer = self.send(RECORD, input={"id": job_id, "detail": detail})
        if job_id not in self.jobs:
            assert answer == {"__typename": "JobNotFound", "id": job_id}
            return
        self.jobs[job_id].note(detail)
        status = self.rows[job_id]["status"].upper()
        assert answer["event"] == {
            "id": f"{job_id}:{len(self.events[job_id])}",
            "prevStatus": status,
            "nextStatus": status,
            "attempt": self.rows[job_id]["attempt"],
            "detail": {**detail, "by": "anonymous"},
        }

    @rule(place=places, fault=broken)
    def send_what_cannot_be_taken(self, place: int, fault: tuple[Row, str]) -> None:
        given, field = fault
        wanted = {"id": self.job_at(place), "to": "RUNNING", **given}
        assert self.send(MOVE, input=wanted) == {"__typename": "InvalidInput", "field": field}

    @rule(place=places, change=changes)
    def reach_for_another_organisations_job(self, place: int, change: Change) -> None:
        job_id = self.job_at(place)
        not_found = {"__typename": "JobNotFound", "id": job_id}
        assert self.send(MOVE, org=OTHER_ORG, input=change.input(job_id)) == not_found
        note = {"id": job_id, "detail": {}}
        assert self.send(RECORD, org=OTHER_ORG, input=note) == not_found

    @invariant()
    def tables_hold_what_the_model_does(self) -> None:
        assert self.rows.keys() == self.jobs.keys()
        for job_id, job in self.jobs.items():
            job.check(self.rows[job_id], self.events[job_id])


def counted(skips: list[Row]) -> Counter[tuple[str, str]]:
    """Read the skipped jobs of an answer."""
    return Counter({(each["reason"], each["status"]): each["count"] for each in skips})


async def test_jobs_live_as_the_model_says(service: Service, tables: asyncpg.Connection) -> None:
    loop = asyncio.get_running_loop()

    class Running(Lifecycle):
        def __init__(self) -> None:
            super().__init__(Ledger(service, tables), loop)

    few = examples(30, stateful_step_count=30, report_multiple_bugs=False)
    await asyncio.to_thread(run_state_machine_as_test, Running, settings=few)
