"""Facts that come after all that is stored of a job: its row alone gives what all its facts do."""

from datetime import timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from db.facts.history import columns_of, events_after, history_of, may_replace, step_of
from db.facts.steps import Step, Steps
from db.progress import PROGRESS
from db.statuses import JobStatus
from tests.support.effort import examples
from tests.support.ledger import EPOCH

details = st.sampled_from([{}, {}, {"worker": "a"}, {PROGRESS: {"fraction": 0.5}}, {PROGRESS: 1}])


def steps(start: int, end: int, are_exact: st.SearchStrategy[bool]) -> st.SearchStrategy[Any]:
    return st.builds(
        Step,
        ts=st.integers(start, end).map(lambda seconds: EPOCH + timedelta(seconds=seconds)),
        status=st.sampled_from(JobStatus),
        attempt=st.none() | st.integers(0, 3) | st.just(2**31 - 1),
        is_exact=are_exact,
        detail=details,
    )


@examples(2_000)
@given(data=st.data(), are_exact=st.booleans())
def test_they_are_placed_without_the_stored_events(data: st.DataObject, are_exact: bool) -> None:
    exactness = st.just(value=True) if are_exact else st.booleans()
    before = data.draw(st.lists(steps(0, 4, exactness), min_size=1, max_size=4))
    stored = history_of(Steps(before))
    row = columns_of(stored)
    came = data.draw(st.lists(steps(4, 9, st.just(value=True)), min_size=1, max_size=3))
    came.sort(key=lambda step: step.ts)
    added = events_after(row, came)
    assume(added is not None)
    assert added is not None
    assume(are_exact or not any(may_replace(row, step) for step in came))
    placed = Steps(step for step in map(step_of, stored) if step is not None)
    assert all(placed.add(step) for step in came)
    assert history_of(placed) == [*stored, *added]
    assert columns_of(history_of(placed)) == columns_of(added, row)
