"""Which policy counts for a job: against the rule of the documentation, in plain Python."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.retention.policies import Policy, latest_end, pattern_fault, policy_of
from db.statuses import TERMINAL_STATUSES, JobStatus

STATUSES = sorted(TERMINAL_STATUSES)
DAY = timedelta(days=1)

types = st.text(alphabet="ab.", min_size=1, max_size=5)
patterns = st.none() | types | types.map(lambda text: f"{text}*")
keys = st.tuples(st.none() | st.sampled_from(STATUSES), patterns)
# As the table has them: one of each status and type.
policies = st.sets(keys, max_size=12).map(
    lambda chosen: [
        Policy(UUID(int=n), status, type_, n * DAY)
        for n, (status, type_) in enumerate(sorted(chosen, key=repr), start=1)
    ]
)


def by_the_rule(there: list[Policy], status: str, type_: str) -> Policy | None:
    """The whole type, then ever shorter beginnings of it, then any; with the status, then any."""
    wanted = [type_, *(f"{type_[:end]}*" for end in range(len(type_), 0, -1)), None]
    found = {(policy.type, policy.status): policy for policy in there}
    for key in product(wanted, (JobStatus(status), None)):
        if key in found:
            return found[key]
    return None


@given(policies, st.sampled_from(STATUSES), types, st.randoms())
def test_the_most_specific_counts(
    there: list[Policy], status: str, type_: str, random: Random
) -> None:
    expected = by_the_rule(there, status, type_)
    random.shuffle(there)
    assert policy_of(there, status, type_) == expected


@given(policies)
def test_none_lets_go_what_ended_later(there: list[Policy]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ends = [now - policy.keep for policy in there]
    assert latest_end(there, now) == (max(ends) if ends else None)


@pytest.mark.parametrize("pattern", ["", "a*b", "**", "x" * 256, "a\0"])
def test_patterns_that_are_refused(pattern: str) -> None:
    assert pattern_fault(pattern) is not None


@pytest.mark.parametrize("pattern", ["a", "a.b", "a.*", "*", "%"])
def test_patterns_that_are_taken(pattern: str) -> None:
    assert pattern_fault(pattern) is None
