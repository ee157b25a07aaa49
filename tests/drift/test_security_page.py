"""docs/security.md names existing tests for each guarantee."""

import re

import pytest

from tests.support.checkout import ROOT

DOCS = ROOT / "docs"
TEXT = (DOCS / "security.md").read_text()
LINK = re.compile(r"\[(test_\w+)\]\(([^)]+\.py)\)")
GUARANTEES = TEXT.partition("## Guarantees")[2].partition("\n## ")[0]
NAMED = sorted(set(LINK.findall(TEXT)))


@pytest.mark.parametrize(("name", "path"), NAMED, ids=lambda each: each.rpartition("/")[2])
def test_a_named_test_exists(name: str, path: str) -> None:
    source = (DOCS / path).resolve().read_text()
    assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE)


def test_every_guarantee_has_a_test() -> None:
    rows = [line for line in GUARANTEES.splitlines() if line.startswith("| ")]
    guarantees = [line for line in rows if line != "| guarantee | tests |"]
    assert len(guarantees) > len(rows) - len(guarantees) > 0
    assert [line for line in guarantees if not LINK.search(line.rpartition(" | ")[2])] == []
    # Whatever looks like the name of a test is a link to it.
    assert set(re.findall(r"\btest_\w+", LINK.sub("", TEXT))) == set()
