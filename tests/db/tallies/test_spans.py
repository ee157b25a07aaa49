"""Runs of spans: they cover the buckets exactly, and none reaches out of its own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.tallies.spans import DAY, HOUR, MINUTE, Run, Span, first_minute, runs

START = datetime(2026, 3, 28, tzinfo=UTC)
LENGTHS = {Span.MINUTE: MINUTE, Span.HOUR: HOUR, Span.DAY: DAY, None: timedelta(microseconds=1)}

steps = st.sampled_from([timedelta(minutes=1), timedelta(minutes=45), HOUR, 5 * HOUR, DAY, 9 * DAY])


@given(
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.lists(steps, min_size=1, max_size=12),
    st.none() | st.integers(0, 90).map(lambda hours: START + hours * HOUR),
    st.booleans(),
)
def test_they_cover_the_buckets(
    first: timedelta, lengths: list[timedelta], minutes_from: datetime | None, with_hours: bool
) -> None:
    edges = [START + first]
    for length in lengths:
        edges.append(edges[-1] + length)
    found = runs(edges, minutes_from, with_hours=with_hours)
    ends = [edges[0], *(run.until for run in found)]
    assert [run.start for run in found] == ends[:-1]
    assert ends[-1] == edges[-1]
    for run in found:
        length = LENGTHS[run.span]
        for edge in (run.start, run.until, *(e for e in edges if run.start <= e <= run.until)):
            assert (edge - datetime(2001, 1, 1, tzinfo=UTC)) % length == timedelta(0)
        if run.span is Span.MINUTE:
            assert minutes_from is not None
            assert run.start >= minutes_from
        elif run.span is None and minutes_from is not None:
            # What is left, on each side of an edge.
            sides = sum(run.start <= edge <= run.until for edge in edges)
            assert run.until - max(run.start, minutes_from) < 2 * sides * MINUTE
    assert with_hours or all(run.span is not Span.HOUR for run in found)


def test_the_longest_spans_are_used() -> None:
    week = [START + timedelta(hours=hours) for hours in (22, 22 + 7 * 24)]
    assert runs(week, None) == [
        Run(Span.HOUR, week[0], START + DAY),
        Run(Span.DAY, START + DAY, START + 7 * DAY),
        Run(Span.HOUR, START + 7 * DAY, week[1]),
    ]
    # A whole year of days is one run.
    assert len(runs([START + DAY * n for n in range(366)], None)) == 1
    assert runs([START, START + MINUTE], None) == [Run(None, START, START + MINUTE)]


def test_minutes_take_the_place_of_events() -> None:
    second = timedelta(seconds=1)
    start, until = START + 59 * MINUTE - second, START + 3 * HOUR + 2 * MINUTE + second
    hours = Run(Span.HOUR, START + HOUR, START + 3 * HOUR)
    last = [
        Run(Span.MINUTE, START + 3 * HOUR, START + 3 * HOUR + 2 * MINUTE),
        Run(None, START + 3 * HOUR + 2 * MINUTE, until),
    ]
    assert runs([start, until], START) == [
        Run(None, start, start + second),
        Run(Span.MINUTE, start + second, START + HOUR),
        hours,
        *last,
    ]
    # There are none of the first hour.
    assert runs([start, until], START + HOUR) == [Run(None, start, START + HOUR), hours, *last]
    # Those of a day begin within a bucket that has no full hour.
    short = [START + 90 * second, START + HOUR + 90 * second]
    assert runs(short, START + HOUR) == [
        Run(None, short[0], START + HOUR),
        Run(Span.MINUTE, START + HOUR, START + HOUR + MINUTE),
        Run(None, START + HOUR + MINUTE, short[1]),
    ]


def test_minutes_are_kept_for_two_hours_and_the_rest_of_the_third() -> None:
    assert first_minute(START + 5 * HOUR) == START + 3 * HOUR
    assert first_minute(START + 6 * HOUR - MINUTE) == START + 3 * HOUR
