"""`joblens retention`: policies are set, changed, listed and removed."""

import re
from uuid import uuid4

import pytest

from tests.server.cli.conftest import Outcome, run


@pytest.fixture
def org(ledger: str) -> str:
    """An organisation's name."""
    name = f"Org {uuid4().hex[:8]}"
    assert run("org", "create", name).exit_code == 0
    return name


def set_(org: str, *options: str) -> Outcome:
    return run("retention", "set", "--org", org, *options)


def lines(org: str) -> list[str]:
    """The listed policies, without their ids and times."""
    listed = run("retention", "list", "--org", org).stdout.splitlines()
    found = [re.split(r"\s{2,}", line.strip()) for line in listed if org in line]
    return [" ".join(cells[2:5]) for cells in found]


def test_a_policy_is_set_changed_and_removed(org: str) -> None:
    told = set_(org, "--status", "succeeded", "--type", "report.*", "--keep", "30d")
    assert told.exit_code == 0
    assert "kept for 30d: jobs of succeeded, report.* of the organisation" in told.stderr
    assert lines(org) == ["succeeded report.* 30d"]
    again = set_(org, "--status", "succeeded", "--type", "report.*", "--keep", "36h")
    assert again.stdout == told.stdout
    assert lines(org) == ["succeeded report.* 36h"]
    other = set_(org, "--keep", "48h")
    assert set_(org, "--keep", "3d", "--type", "*").stdout == other.stdout
    assert lines(org) == ["succeeded report.* 36h", "any any 3d"]
    policy_id = told.stdout.strip()
    assert run("retention", "remove", policy_id).stdout == f"removed {policy_id}\n"
    assert lines(org) == ["any any 3d"]
    again = run("retention", "remove", policy_id)
    assert again.exit_code == 2
    assert "there is no policy" in again.stderr


def test_policies_of_all_organisations_are_listed(org: str) -> None:
    assert set_(org, "--keep", "30m").exit_code == 0
    # JOBLENS_ORG, which needs no name.
    assert run("retention", "set", "--keep", "90m").exit_code == 0
    listed = run("retention", "list").stdout
    assert org in listed
    assert "00000000-0000-0000-0000-000000000001" in listed
    assert "90m" in listed


@pytest.mark.parametrize(
    "options",
    [
        ["--keep", "0d"],
        ["--keep", "30"],
        ["--keep", "1d", "--status", "running"],
        ["--keep", "1d", "--type", "a*b"],
        ["--keep", "1d", "--type", ""],
        ["--keep", "1d", "--org", "nobody"],
        [],
    ],
)
def test_what_is_no_policy_is_refused(ledger: str, options: list[str]) -> None:
    told = run("retention", "set", *options)
    assert (told.exit_code, told.stdout) == (2, "")
