"""The part of the SQL of sums that adds durations to sketches; see db.tallies.sketches."""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Double, Uuid, column, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.tables import Timestamp, job_event_table
from db.tallies.durations import began_of, bin_of, is_of_source, kind_of, seconds_between
from db.tallies.joins import KEPT
from db.tallies.keys import ALL
from db.tallies.spans import Span

NO_TIME = "CAST(NULL AS timestamptz)"

_ADD_SKETCHES = f"""
INSERT INTO tally_duration AS kept
    (org_id, span, key_id, start, kind, bins, counts, total, least, most)
SELECT :org_id, span, key, start, kind, array_agg(bin ORDER BY bin),
    array_agg(durations ORDER BY bin), sum(total), min(least), max(most)
FROM (
    SELECT CASE WHEN day IS NULL THEN {Span.MINUTE:d} ELSE {Span.DAY:d} END AS span, key,
        coalesce(day, minute) AS start, kind, bin,
        CAST(sum(durations) AS bigint) AS durations, sum(total) AS total,
        min(least) AS least, max(most) AS most
    FROM binned {KEPT} WHERE coalesce(day, minute) IS NOT NULL
    GROUP BY key, day, minute, kind, bin
    UNION ALL
    SELECT {Span.HOUR:d}, {ALL}, hour, kind, bin, durations, total, least, most
    FROM binned WHERE key_id IS NULL
) AS each_bin GROUP BY span, key, start, kind
ON CONFLICT (org_id, span, key_id, start, kind) DO UPDATE SET (bins, counts) = (
    SELECT array_agg(bin ORDER BY bin), array_agg(durations ORDER BY bin) FROM (
        SELECT bin, greatest(sum(durations), 0) AS durations FROM (
            SELECT unnest(kept.bins) AS bin, unnest(kept.counts) AS durations
            UNION ALL SELECT unnest(excluded.bins), unnest(excluded.counts)
        ) AS each_bin GROUP BY bin
    ) AS merged
), total = kept.total + excluded.total, least = least(kept.least, excluded.least),
    most = greatest(kept.most, excluded.most)
"""


def _text_of(expression: ColumnElement[Any]) -> str:
    dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
    return str(expression.compile(dialect=dialect))


_event = SimpleNamespace(
    **{each.name: literal_column(f"event.{each.name}", each.type) for each in job_event_table.c}
)
KIND = _text_of(kind_of(_event))
BEGAN = _text_of(began_of(_event, literal_column(":org_id", Uuid())))
OF_SOURCE = _text_of(is_of_source())
_SECONDS = _text_of(
    seconds_between(
        column("began", Timestamp), column("ts", Timestamp), column("of_source", Boolean())
    )
)
_BIN = _text_of(bin_of(column("seconds", Double())))

_SKETCHES = {
    Span.DAY: ("key_id", "day"),
    Span.HOUR: ("hour",),
    Span.MINUTE: ("key_id", "minute"),
}


def add_durations(spans: Iterable[Span], sign: int) -> str:
    """Add the durations that rows of `change` ended to the sketches of these spans.

    Goes on with the statement's WITH. `sign`: -1 takes them out again.
    """
    chosen = [_SKETCHES[span] for span in spans if span in _SKETCHES]
    starts = ", ".join(
        name if any(name in keys for keys in chosen) else f"{NO_TIME} AS {name}"
        for name in ("day", "hour", "minute")
    )
    sets = ", ".join(f"({', '.join(keys)}, kind, bin)" for keys in chosen)
    return f"""
    , lasted AS (
        SELECT change.*, {_SECONDS} AS seconds FROM change WHERE kind IS NOT NULL
    ), binned AS (
        SELECT key_id, {starts}, kind, bin, {sign} * count(*) AS durations,
            {sign} * sum(seconds) AS total, min(seconds) AS least, max(seconds) AS most
        FROM (
            SELECT lasted.*, date_trunc('day', hour) AS day, {_BIN} AS bin
            FROM lasted WHERE seconds IS NOT NULL
        ) AS lasted
        GROUP BY GROUPING SETS ({sets})
    ), sketched AS ({_ADD_SKETCHES})
    """
