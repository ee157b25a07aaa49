"""The steps of one job in any order: one history, also where they differ in little."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.facts.history import history_of
from db.facts.steps import Step, Steps
from db.progress import PROGRESS
from db.statuses import JobStatus
from tests.support.effort import examples
from tests.support.ledger import EPOCH

steps = st.builds(
    Step,
    ts=st.integers(0, 2).map(lambda seconds: EPOCH + timedelta(seconds=seconds)),
    status=st.sampled_from(JobStatus),
    attempt=st.none() | st.integers(0, 2),
    is_exact=st.booleans(),
    detail=st.sampled_from([{}, {"worker": "a"}, {PROGRESS: {"fraction": 0.5}}]),
)


def alike(step: Step) -> Iterator[Step]:
    """Yield steps that differ from this one in one thing."""
    yield replace(step, is_exact=not step.is_exact)
    yield replace(step, attempt=None)
    yield replace(step, ts=step.ts + timedelta(seconds=1))
    yield replace(step, detail={})


@examples(1_000)
@given(data=st.data())
def test_the_order_in_which_they_come_makes_no_difference(data: st.DataObject) -> None:
    came = data.draw(st.lists(steps, min_size=1, max_size=3))
    for step in data.draw(st.lists(st.sampled_from(came), min_size=1, max_size=2)):
        came.append(data.draw(st.sampled_from(list(alike(step)))))
    again = data.draw(st.permutations(came))
    assert history_of(Steps(again)) == history_of(Steps(came))
