"""Runs of spans: they cover the buckets exactly, and none reaches out of its own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.tallies.spans import DAY, HOUR, Run, Span, runs

START = datetime(2026, 3, 28, tzinfo=UTC)
LENGTHS = {Span.HOUR: HOUR, Span.DAY: DAY, None: timedelta(microseconds=1)}

steps = st.sampled_from([timedelta(minutes=1), timedelta(minutes=45), HOUR, 5 * HOUR, DAY, 9 * DAY])


@given(st.timedeltas(timedelta(0), timedelta(days=3)), st.lists(steps, min_size=1, max_size=12))
def test_they_cover_the_buckets(first: timedelta, lengths: list[timedelta]) -> None:
    edges = [START + first]
    for length in lengths:
        edges.append(edges[-1] + length)
    found = runs(edges)
    ends = [edges[0], *(run.until for run in found)]
    assert [run.start for run in found] == ends[:-1]
    assert ends[-1] == edges[-1]
    for run in found:
        length = LENGTHS[run.span]
        for edge in (run.start, run.until, *(e for e in edges if run.start <= e <= run.until)):
            assert (edge - datetime(2001, 1, 1, tzinfo=UTC)) % length == timedelta(0)


def test_the_longest_spans_are_used() -> None:
    week = [START + timedelta(hours=hours) for hours in (22, 22 + 7 * 24)]
    assert runs(week) == [
        Run(Span.HOUR, week[0], START + DAY),
        Run(Span.DAY, START + DAY, START + 7 * DAY),
        Run(Span.HOUR, START + 7 * DAY, week[1]),
    ]
    # A whole year of days is one run.
    assert len(runs([START + DAY * n for n in range(366)])) == 1
    minute = timedelta(minutes=1)
    assert runs([START, START + minute]) == [Run(None, START, START + minute)]
