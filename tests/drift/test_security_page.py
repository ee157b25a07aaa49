"""docs/security.md is true to the tests: each promise names some, and each of them exists."""

import re

import pytest

from tests.support.checkout import ROOT

DOCS = ROOT / "docs"
TEXT = (DOCS / "security.md").read_text()
LINK = re.compile(r"\[(test_\w+)\]\(([^)]+\.py)\)")
PROMISES = TEXT.partition("## What is promised")[2].partition("\n## ")[0]
NAMED = sorted(set(LINK.findall(TEXT)))


@pytest.mark.parametrize(("name", "path"), NAMED, ids=lambda each: each.rpartition("/")[2])
def test_a_named_test_exists(name: str, path: str) -> None:
    source = (DOCS / path).resolve().read_text()
    assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE)


def test_every_promise_is_held_by_a_test() -> None:
    rows = [line for line in PROMISES.splitlines() if line.startswith("| ")]
    promises = [line for line in rows if line != "| promise | held by |"]
    assert len(promises) > len(rows) - len(promises) > 0
    assert [line for line in promises if not LINK.search(line.rpartition(" | ")[2])] == []
    # Whatever looks like the name of a test is a link to it.
    assert set(re.findall(r"\btest_\w+", LINK.sub("", TEXT))) == set()
