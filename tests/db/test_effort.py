"""Which filters get a plan of their own, and which the timeout of scans."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from db.criteria import (
    FloatCriteria,
    IntCriteria,
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    SearchCriteria,
    TextCriteria,
    TimeCriteria,
)
from db.effort import Effort, effort_of
from db.statuses import JobStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEARCH: dict[str, Any] = {"search": SearchCriteria("x")}
EFFORTS: list[tuple[dict[str, Any], Effort]] = [
    ({}, Effort.STEADY),
    ({"ids": [UUID(int=1)]}, Effort.STEADY),
    ({"status": [JobStatus.FAILED], "type": TextCriteria(eq="x")}, Effort.STEADY),
    ({"idempotency_key": TextCriteria(eq="x")}, Effort.STEADY),
    ({"requested_by": TextCriteria(in_=["x"])}, Effort.VARYING),
    ({"type": TextCriteria(in_=["x"], contains="x")}, Effort.VARYING),
    ({"created_at": TimeCriteria(gte=NOW)}, Effort.VARYING),
    ({"running_since": NOW}, Effort.VARYING),
    ({"or_": [JobCriteria(), JobCriteria()]}, Effort.VARYING),
    ({"type": TextCriteria(contains="x")}, Effort.SCANNING),
    ({"requested_by": TextCriteria(starts_with="x")}, Effort.SCANNING),
    ({"requested_by": TextCriteria(is_null=False)}, Effort.SCANNING),
    ({"last_error_message": TextCriteria(eq="x")}, Effort.SCANNING),
    ({"attempt": IntCriteria(eq=9)}, Effort.SCANNING),
    ({"run_seconds": FloatCriteria(gte=1)}, Effort.SCANNING),
    ({"payload_contains": JsonContainment({})}, Effort.SCANNING),
    (SEARCH, Effort.SCANNING),
    (SEARCH | {"status": [JobStatus.FAILED], "ids": []}, Effort.SCANNING),
    ({"not_": JobCriteria(**SEARCH)}, Effort.SCANNING),
    ({"or_": [JobCriteria(), JobCriteria(and_=[JobCriteria(**SEARCH)])]}, Effort.SCANNING),
]


@pytest.mark.parametrize(("conditions", "effort"), EFFORTS, ids=str)
def test_of_jobs(conditions: dict[str, Any], effort: Effort) -> None:
    assert effort_of(JobCriteria(**conditions)) is effort


def test_of_events() -> None:
    assert effort_of(None) is Effort.STEADY
    assert effort_of(JobEventCriteria(job_ids=[UUID(int=1)])) is Effort.STEADY
    assert effort_of(JobEventCriteria(next_status=[JobStatus.FAILED])) is Effort.VARYING
    for slow in (
        JobEventCriteria(prev_status=[JobStatus.FAILED]),
        JobEventCriteria(detail_contains=JsonContainment({})),
        JobEventCriteria(job=JobCriteria()),
    ):
        assert effort_of(slow) is Effort.SCANNING
