"""One record: what is refused and in which words, what is filled in, what is derived."""

import json
from datetime import datetime

import orjson
import pytest

from db.limits import MAX_NAME_LENGTH
from db.transfer import histories, records
from db.transfer.json_text import RecordError

T0, T1, T2 = "2025-01-01T10:00:00Z", "2025-01-01T10:00:05Z", "2025-01-01T10:01:00Z"


def record(**fields):
    return {"type": "email", "status": "queued", "created_at": T0} | fields


def event(ts, prev, following, **fields):
    return {"ts": ts, "prev_status": prev, "next_status": following} | fields


RUN = [event(T0, None, "queued"), event(T1, "queued", "running")]
FAILED = [*RUN, event(T2, "running", "failed")]


def complete(value):
    line = value if isinstance(value, bytes) else orjson.dumps(value)
    return histories.complete(records.parse(line)[1])


def with_payload(text):
    return (
        b'{"type":"email","status":"queued","created_at":"2025-01-01T10:00:00Z","payload":%s}'
        % text
    )


def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"type": ', "not well-formed JSON: Expecting value at column 10"),
        (b"[1]", "the line is not a JSON object"),
        (b"null", "the line is not a JSON object"),
        (b'"\xff"', "the line is not UTF-8 text"),
        (b'{"type":1,"type":NaN}', "not well-formed JSON: NaN is not a JSON number"),
        (nested(100_000), "the JSON is nested too deeply"),
        (with_payload(nested(300)), "payload: nested too deeply"),
        ({}, "type: is required; status: is required; created_at: is required"),
        (record(priorty=1), "priorty: is not a field of a record"),
        (record(events=[{**RUN[0], "time": T0}]), "events[0].time: is not a field of a record"),
        (record(type=""), "type: is empty"),
        (record(type=5), "type: must be a valid string"),
        (record(queue="q" * (MAX_NAME_LENGTH + 1)), "queue: is longer than 255 characters"),
        (record(parent_id="x"), "parent_id: is not a UUID"),
        (record(batch=""), "batch: is empty"),
        (record(batch="b" * (MAX_NAME_LENGTH + 1)), "batch: is longer than 255 characters"),
        (record(tags="a"), "tags: must be a valid list"),
        (record(tags=["a", 1]), "tags[1]: must be a valid string"),
        (record(tags=["a", ""]), "tags[1]: is empty"),
        (record(tags=["a", "b", "a"]), "tags: has an item twice"),
        (record(tags=[str(n) for n in range(21)]), "tags: has more than 20 items"),
        (record(status="done"), "status: must be 'queued', 'running'"),
        (record(backoff_policy="linear"), "backoff_policy: must be 'none', 'fixed' or 'expon"),
        (record(priority=True), "priority: must be a valid integer"),
        (record(priority=2**31), "priority: must be less than or equal to 2147483647"),
        (record(attempt=-1), "attempt: must be greater than or equal to 0"),
        (record(id="7"), "id: is not a UUID"),
        (record(id=7), "id: is not a UUID"),
        (record(created_at="2025-01-01"), "created_at: is not an RFC 3339 time with an offset"),
        (record(created_at="2025-01-01T10:00:00"), "created_at: is not an RFC 3339 time"),
        (record(created_at=1735725600), "created_at: is not an RFC 3339 time"),
        (record(created_at="2025-02-30T10:00:00Z"), "created_at: is not a time of the years"),
        (record(created_at="0000-01-01T10:00:00Z"), "created_at: is not a time of the years"),
        (record(created_at="0001-01-01T00:00:00+02:00"), "created_at: is not a time of the years"),
        (record(scheduled_at="9999-12-31T23:59:59-00:01"), "scheduled_at: is not a time of"),
        (record(finished_at=T2), "finished_at: is set, but the job is 'queued'"),
        (record(status="failed"), "finished_at: is required, the job is 'failed'"),
        (record(status="running", started_at="2024-01-01T00:00:00Z"), "started_at: is before cre"),
        (
            record(status="failed", started_at=T2, finished_at="2024-01-01T00:00:00Z"),
            "finished_at: is before started_at",
        ),
        (record(events=RUN), "status: is 'queued', but the last event leads to 'running'"),
        (record(events=RUN[1:]), "events[0].prev_status: is 'queued', but the first event has"),
        (
            record(events=[RUN[0], event(T1, "running", "failed")]),
            "events[1].prev_status: is 'running', but the previous event leads to 'queued'",
        ),
        (
            record(events=[RUN[0], event("2024-01-01T00:00:00Z", "queued", "queued")]),
            "events[1].ts: is before the previous event; oldest come first",
        ),
        (with_payload(b'{"a": ["\\u0000"]}'), "payload.a[0]: has a NUL character"),
        (with_payload(b'{"a\\u0000": 1}'), "payload: has a NUL character"),
        (with_payload(b'"\\ud83d"'), "payload: has a lone surrogate"),
        (b'{"type": "\\udc00"}', "type: has a lone surrogate"),
        (with_payload(b"[18446744073709551616]"), "payload: has a number past 64 bits"),
        (with_payload(b"-9223372036854775809"), "payload: has a number past 64 bits"),
        (with_payload(b"9" * 5000), "payload: has a number past 64 bits"),
        (with_payload(b"1e309"), "payload: has a number past 64 bits"),
        (with_payload(b"100000000000000000000.5"), "payload: has a number past 64 bits"),
        (with_payload(b"1e999999999999999999999"), "payload: has a number past 64 bits"),
        (with_payload(b"1e-5000"), "payload: has a number with more than 1,100 decimals"),
        (
            b'{"type":"a","status":"queued","created_at":"2025-01-01T10:00:00Z","attempt":1e30}',
            "attempt: must be a valid integer",
        ),
        (record(events=[{**RUN[0], "detail": "\0"}]), "events[0].detail: has a NUL character"),
    ],
)
def test_a_refused_record_says_why(value, reason):
    with pytest.raises(RecordError) as refused:
        complete(value)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"1.10", "1.10"),
        (
            b"0.1234567890123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
        ),
        (b"1e3", "1000"),
        (b"-2.5E-3", "-0.0025"),
        (b"18446744073709551615", "18446744073709551615"),
        (b"1e30", "1" + "0" * 30),
        (b"1" + b"0" * 30, "1" + "0" * 30),
        (b"3.4e38", "34" + "0" * 37),
        (b"5e-324", "0." + "0" * 323 + "5"),
        (b'"\\ud83d\\ude00 \\\\u0000"', '"😀 \\\\u0000"'),
        (b"null", None),
        (b"false", "false"),
    ],
)
def test_json_is_kept_to_the_last_digit(text, kept):
    assert complete(with_payload(text)).job.payload == kept


@pytest.mark.parametrize(
    "time", ["2025-01-01T11:00:00+01:00", "2025-01-01 10:00:00z", "2025-01-01T10:00:00.0000009Z"]
)
def test_times_may_be_written_in_any_way_of_rfc_3339(time):
    assert complete(record(created_at=time)) == complete(record())


def test_what_is_left_out_gets_its_default():
    job = complete(record()).job
    assert (job.queue, job.priority, job.attempt, job.max_attempts) == ("default", 0, 0, 5)
    assert (job.backoff_policy, job.event_seq, job.updated_at) == ("exponential", 1, job.created_at)
    assert complete(record(attempt=9)).job.max_attempts == 9


@pytest.mark.parametrize(
    ("fields", "chain"),
    [
        ({}, "queued:0"),
        ({"attempt": 2}, "queued:2"),
        ({"started_at": T1}, "queued:0 running:1 queued:1"),
        ({"status": "running"}, "queued:0 running:1"),
        ({"status": "running", "started_at": T1, "attempt": 3}, "queued:0 running:3"),
        ({"status": "succeeded", "finished_at": T2}, "queued:0 running:1 succeeded:1"),
        ({"status": "failed", "finished_at": T2}, "queued:0 running:1 failed:1"),
        ({"status": "canceled", "finished_at": T2}, "queued:0 canceled:0"),
        (
            {"status": "canceled", "started_at": T1, "finished_at": T2},
            "queued:0 running:1 canceled:1",
        ),
        ({"status": "dead_letter", "finished_at": T2}, "queued:0 running:1 failed:1 dead_letter:1"),
    ],
)
@pytest.mark.parametrize("events", [None, []])
def test_without_events_the_times_tell_them(fields, chain, events):
    history = complete(record(**fields, events=events))
    assert " ".join(f"{e.next_status}:{e.attempt}" for e in history.events) == chain
    assert [e.prev_status for e in history.events] == [
        None, *(e.next_status for e in history.events[:-1])
    ]  # fmt: skip
    assert history.job.attempt == history.events[-1].attempt
    assert history.job.event_seq == len(history.events)
    assert history.job.updated_at == max(e.ts for e in history.events)


def test_a_derived_failure_tells_the_error():
    failed = record(status="failed", finished_at=T2, last_error_code="E1", last_error_message="no")
    detail = complete(failed).events[-1].detail
    assert orjson.loads(detail) == {"error_code": "E1", "error_message": "no"}


def test_events_tell_attempts_start_and_finish():
    again = [event(T2, "failed", "queued"), event(T2, "queued", "running", detail={"worker": 1})]
    history = complete(record(status="running", events=[*FAILED, *again]))
    assert [e.attempt for e in history.events] == [0, 1, 1, 1, 2]
    assert history.job.attempt == 2
    assert history.job.started_at == history.events[-1].ts
    failed = complete(record(status="failed", events=[*FAILED, event(T2, "failed", "failed")]))
    assert failed.job.finished_at == failed.events[2].ts
    assert failed.job.started_at == failed.events[1].ts


def test_a_job_queued_again_has_not_started():
    for started_at in (None, T1):
        again = record(started_at=started_at, events=[*RUN, event(T2, "running", "queued")])
        assert complete(again).job.started_at is None
    assert complete(record(started_at=T1)).job.started_at is None


GIVEN_UP = [*FAILED, event("2025-01-01T10:02:00Z", "failed", "dead_letter")]
LATE = event(T2, None, "succeeded")


@pytest.mark.parametrize(
    ("value", "times"),
    [
        (record(status="failed", started_at=T0, finished_at=T1, events=FAILED), (T0, T1, T2)),
        (record(status="failed", events=FAILED), (T0, T1, T2)),
        (record(status="dead_letter", events=GIVEN_UP), (T0, T1, T2)),
        (record(status="dead_letter", finished_at=T1, events=GIVEN_UP), (T0, T1, T2)),
        (record(status="running", created_at=T2, events=RUN), (T0, T1, None)),
        (record(status="canceled", started_at=T1, events=[RUN[0], event(T2, "queued", "canceled")]),
         (T0, None, T2)),
        (record(status="succeeded", events=[LATE]), (T0, None, T2)),
        (record(status="succeeded", started_at=T1, finished_at=T1, events=[LATE]), (T0, T1, T1)),
        (record(status="running", started_at=T1, events=[event(T2, None, "running")]),
         (T0, T2, None)),
    ],
)  # fmt: skip
def test_of_times_that_disagree_those_of_events_count(value, times):
    job = complete(value).job
    seen = (job.created_at, job.started_at, job.finished_at)
    assert seen == tuple(time and datetime.fromisoformat(time) for time in times)


def test_a_run_that_begins_in_another_is_an_attempt_of_its_own():
    taken = [event(T2, "running", "running", attempt=n, detail={"worker": n}) for n in (1, 2, 4)]
    history = complete(record(status="running", events=[*RUN, *taken]))
    chain = [(e.prev_status, e.next_status, e.attempt) for e in history.events]
    assert chain == [
        (None, "queued", 0),
        ("queued", "running", 1),
        ("running", "running", 1),
        ("running", "queued", 1),
        ("queued", "running", 2),
        ("running", "queued", 2),
        ("queued", "running", 4),
    ]
    assert [e.detail for e in history.events[3:5]] == [None, '{"worker":2}']
    assert (history.job.attempt, history.job.event_seq) == (4, 7)
    assert history.job.started_at == history.events[-1].ts


def test_attempts_count_on_from_what_is_told():
    late = [event(T0, None, "running", attempt=3), event(T1, "running", "queued")]
    history = complete(record(status="running", events=[*late, event(T2, "queued", "running")]))
    assert [e.attempt for e in history.events] == [3, 3, 4]
    assert (history.job.attempt, history.job.max_attempts) == (4, 5)
    few = complete(record(attempt=1, max_attempts=2, events=late))
    assert (few.job.attempt, few.job.max_attempts) == (3, 3)


END = 2**31 - 1


def test_attempts_raise_what_is_allowed():
    for attempt, allowed, expected in ((3, 2, 3), (END, 2, END), (1, None, 5)):
        job = complete(record(attempt=attempt, max_attempts=allowed)).job
        assert (job.attempt, job.max_attempts) == (attempt, expected)


def test_texts_of_errors_are_taken_as_they_can_be_kept():
    long = "begin" + "x" * 20_000 + "end"
    error = {"error_code": "E\0", "error_message": "half \ud83d", "other": 1}
    events = [*RUN, event(T2, "running", "failed", detail=error)]
    line = json.dumps(
        record(status="failed", last_error_code="", last_error_message=long, events=events)
    )
    history = complete(line.encode())
    assert history.job.last_error_code is None
    message = history.job.last_error_message
    assert len(message) == 10_000
    assert message.startswith("begin") and "… [shortened] …" in message and message.endswith("end")  # noqa: PT018
    assert json.loads(history.events[-1].detail) == {
        "error_code": "E\ufffd",
        "error_message": "half \ufffd",
        "other": 1,
    }


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z"])
def test_the_ends_of_time_are_times(time):
    kept = datetime.fromisoformat(time)
    given = dict.fromkeys(("created_at", "scheduled_at", "started_at", "finished_at"), time)
    job = complete(record(status="failed", **given)).job
    assert {getattr(job, name) for name in given} == {kept}
    told = [e | {"ts": time} for e in FAILED]
    assert complete(record(status="failed", created_at=time, events=told)).job.finished_at == kept


def test_an_event_that_keeps_the_status_is_no_start():
    progress = event(T2, "running", "running", detail={"progress": 40})
    history = complete(record(status="running", events=[*RUN, progress]))
    assert history.job.attempt == 1
    assert history.events[-1].detail == '{"progress":40}'


def test_clocks_may_differ_a_little():
    early = "2025-01-01T09:59:00Z"
    assert complete(record(status="running", events=[RUN[0], event(early, "queued", "running")]))
