"""The SQL that sums events. All of it runs in the transaction that also moves `tally_state`."""
# ruff: noqa: S608 - the names of tables, columns and statuses are the program's own

from collections.abc import Iterable, Sequence

from sqlalchemy import TextClause, text

from db.statuses import JobStatus
from db.tallies.joins import JOINED_KEYS, JOINS, KEPT, KEY, joined
from db.tallies.sketching import BEGAN, KIND, NO_TIME, OF_SOURCE, add_durations
from db.tallies.spans import Span
from db.tallies.typed_sql import typed_sql

ENTERED = tuple(f"entered_{status.value}" for status in JobStatus)
LEFT = tuple(f"left_{status.value}" for status in JobStatus)
COUNTS = ("created", *ENTERED, *LEFT)

# What of the events: those that no sum has; a slice of them by time, while the sums are first made.
UNSUMMED = """
event.xid >= pg_snapshot_xmin(CAST(:seen AS pg_snapshot))
AND NOT pg_visible_in_snapshot(event.xid, CAST(:seen AS pg_snapshot))
"""
SUMMED = """
(event.xid IS NULL OR pg_visible_in_snapshot(event.xid, CAST(:seen AS pg_snapshot)))
"""
_UNTIL = "AND (event.ts < :until OR CAST(:until AS timestamptz) IS NULL)"
SLICE = f"event.ts >= :since {_UNTIL} AND {SUMMED}"
BEFORE = "event.ts < :until"
OF_MINUTES = f"event.ts >= :minutes_from AND {SUMMED}"
OF_JOBS = "event.job_id = ANY(:job_ids)"
# Of these jobs, each from one of its events on.
FROM_SEQS = """
event.seq >= (
    SELECT seq FROM unnest(CAST(:job_ids AS uuid[]), CAST(:seqs AS integer[])) AS given (id, seq)
    WHERE given.id = event.job_id
)
"""

# Until the end of the transaction, one process alone sums an organisation.
TAKE_TURN = typed_sql("""
SELECT pg_try_advisory_xact_lock(hashtextextended('joblens tally ' || CAST(:org_id AS text), 0))
""")
# The number of rows differs widely between transactions: a plan for any parameters may read all.
PLAN_EACH = text("SET LOCAL plan_cache_mode = force_custom_plan")

# Events restored from another server, whose transaction ids say nothing here until
# db.restored_events clears them.
IS_FOREIGN = typed_sql("""
SELECT coalesce(max(xid) >= pg_snapshot_xmax(pg_current_snapshot()), false) FROM (
    SELECT xid FROM job_event WHERE org_id = :org_id AND xid IS NOT NULL
    ORDER BY xid DESC LIMIT 1
) AS newest
""")

BEGIN = typed_sql("""
INSERT INTO tally_state (org_id, cluster, seen, summed_until)
SELECT :org_id, system_identifier, pg_current_snapshot(), '-infinity' FROM pg_control_system()
""")
FORGET = tuple(
    typed_sql(f"DELETE FROM {table} WHERE org_id = :org_id")
    for table in (
        "tally_state",
        "tally",
        "tally_duration",
        "tally_key",
        "error_group",
        "error_tally",
        "error_job",
        "error_job_tally",
    )
)
PAIRS_BY_SIZE = typed_sql("""
SELECT type, queue FROM job WHERE org_id = :org_id GROUP BY type, queue
ORDER BY count(*) DESC, type, queue
""")
KEYS = typed_sql("SELECT type, queue, id FROM tally_key WHERE org_id = :org_id")
ADD_KEYS = typed_sql("""
INSERT INTO tally_key (org_id, id, type, queue, type_key, queue_key)
SELECT :org_id, * FROM unnest(
    CAST(:key_ids AS integer[]), CAST(:types AS text[]), CAST(:queues AS text[]),
    CAST(:type_keys AS integer[]), CAST(:queue_keys AS integer[])
)
""")
SLICE_END = typed_sql("""
SELECT max(ts) FROM (
    (SELECT ts FROM job_event WHERE org_id = :org_id AND ts >= :since ORDER BY ts
     OFFSET :events LIMIT 1)
    UNION ALL
    (SELECT ts FROM job_event WHERE org_id = :org_id AND ts > :since ORDER BY ts LIMIT 1)
) AS ends HAVING count(*) = 2
""")
FIRST_AND_LAST = typed_sql("""
SELECT (SELECT ts FROM job_event WHERE org_id = :org_id ORDER BY ts LIMIT 1) AS first,
    (SELECT ts FROM job_event WHERE org_id = :org_id ORDER BY ts DESC LIMIT 1) AS last
""")
SUM_UP = typed_sql("""
UPDATE tally_state SET seen = pg_current_snapshot(), minutes_seen = pg_current_snapshot(),
    errors_seen = pg_current_snapshot()
WHERE org_id = :org_id
""")
SUM_UNTIL = typed_sql("UPDATE tally_state SET summed_until = :until WHERE org_id = :org_id")
KEEP_MINUTES = typed_sql("""
UPDATE tally_state SET minutes_seen = seen, minutes_from = :minutes_from WHERE org_id = :org_id
""")
# Unless `minutes_from` is given, of all minutes.
DROP_MINUTES = tuple(
    typed_sql(f"""
    DELETE FROM {table} WHERE org_id = :org_id AND span = {Span.MINUTE:d}
    AND (start < :minutes_from OR CAST(:minutes_from AS timestamptz) IS NULL)
    """)
    for table in ("tally", "tally_duration")
)


def pairs_without_key(which: str) -> TextClause:
    """Select the pairs of type and queue of events that have no key."""
    return typed_sql(f"WITH {joined(which)} SELECT type, queue FROM pair WHERE key_id = -1")


def sum_events(which: str, spans: Sequence[Span], *, sign: int = 1) -> TextClause:
    """Add events to the sums of these spans. Returns whether some events have no key yet.

    `sign`: -1 takes them out again. Minutes are summed from the time `minutes_from` on, if any is
    given.
    """
    each = f"{sign} * count(*)"
    counts = ", ".join(f"{each} FILTER (WHERE {_CONDITIONS[name]}) AS {name}" for name in COUNTS)
    durations = add_durations(spans, sign) if spans != [Span.TOTAL] else ""
    minute = _minute("event.ts") if Span.MINUTE in spans else NO_TIME
    return typed_sql(f"""
    WITH {joined(which)}, change AS MATERIALIZED (
        SELECT event.prev_status, event.next_status, pair.key_id,
            date_trunc('hour', event.ts) AS hour, {minute} AS minute,
            event.ts, {OF_SOURCE} AS of_source, {KIND} AS kind,
            CASE WHEN {KIND} IS NOT NULL THEN {BEGAN} END AS began
        {JOINS}
    ), counted AS (
        SELECT key_id, hour, minute, {counts} FROM change GROUP BY key_id, hour, minute
    ), added AS ({_add("counted", spans)}){durations}
    SELECT EXISTS (SELECT FROM counted WHERE key_id = -1)
    """)


def sum_jobs() -> TextClause:
    """Make the totals of all jobs, from their present status. Every job has a key."""
    entered = (f"count(*) FILTER (WHERE job.status = '{status.value}')" for status in JobStatus)
    counts = _counts("count(*)", *entered, *("0" for _ in LEFT))
    return typed_sql(f"""
    WITH counted AS (
        SELECT {KEY} AS key_id, {_BEGINNING} AS hour, {counts}
        FROM job {JOINED_KEYS} WHERE job.org_id = :org_id GROUP BY 1
    ) {_add("counted", [Span.TOTAL])}
    """)


def remove_jobs() -> TextClause:
    """Add that jobs left their status at `now`, because they are deleted.

    `seen`: the snapshot of the events that are summed; null: all are.
    """
    left = (f"count(*) FILTER (WHERE status = '{status.value}')" for status in JobStatus)
    counts = _counts("0", *("0" for _ in ENTERED), *left)
    return typed_sql(f"""
    WITH change AS (
        SELECT {KEY} AS key_id, date_trunc('hour', CAST(:now AS timestamptz)) AS hour,
            {_minute(":now")} AS minute,
            coalesce(
                (SELECT event.next_status FROM job_event AS event
                 WHERE event.org_id = :org_id AND event.job_id = job.id
                 AND (CAST(:seen AS text) IS NULL OR {SUMMED})
                 ORDER BY event.seq DESC LIMIT 1),
                CASE WHEN job.event_seq = 0 THEN job.status END
            ) AS status
        FROM job {JOINED_KEYS} WHERE job.org_id = :org_id AND job.id = ANY(:job_ids)
    ), counted AS (
        SELECT key_id, hour, minute, {counts}
        FROM change WHERE status IS NOT NULL GROUP BY key_id, hour, minute
    ) {_add("counted", list(Span))}
    """)


_CONDITIONS = {
    "created": "prev_status IS NULL",
    **{f"entered_{each.value}": f"next_status = '{each.value}'" for each in JobStatus},
    **{f"left_{each.value}": f"prev_status = '{each.value}'" for each in JobStatus},
}
_BEGINNING = "CAST('-infinity' AS timestamptz)"
_START = {
    Span.TOTAL: _BEGINNING,
    Span.DAY: "date_trunc('day', hour)",
    Span.HOUR: "hour",
    Span.MINUTE: "minute",
}


def _minute(time: str) -> str:
    """Write the minute of a time; null before those that are summed, and if none are."""
    return (
        f"CASE WHEN CAST({time} AS timestamptz) >= CAST(:minutes_from AS timestamptz)"
        f" THEN date_trunc('minute', CAST({time} AS timestamptz)) END"
    )


def _starts(spans: Iterable[Span]) -> str:
    return ", ".join(f"({span:d}, {_START[span]})" for span in spans)


def _counts(*expressions: str) -> str:
    return ", ".join(f"{each} AS {name}" for each, name in zip(expressions, COUNTS, strict=True))


def _add(counted: str, spans: Sequence[Span]) -> str:
    """Add what is counted by key and hour to the sums of these spans."""
    sums = ", ".join(f"CAST(sum({name}) AS bigint)" for name in COUNTS)
    return f"""
    INSERT INTO tally (org_id, span, key_id, start, {", ".join(COUNTS)})
    SELECT :org_id, span, key, start, {sums} FROM {counted} {KEPT}
    CROSS JOIN LATERAL (VALUES {_starts(spans)}) AS at (span, start)
    WHERE start IS NOT NULL GROUP BY span, key, start
    ON CONFLICT (org_id, span, key_id, start) DO UPDATE
    SET {", ".join(f"{name} = tally.{name} + excluded.{name}" for name in COUNTS)}
    """
