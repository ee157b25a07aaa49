"""The how-to of live updates shows the code of its example as it is."""

import re
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "how-to" / "live-updates-in-a-frontend.md"
BLOCK = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = sorted((ROOT / "examples" / "live_frontend").glob("*.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_page_shows_the_file(file: Path) -> None:
    page = PAGE.read_text()
    assert f"`{file.name}`" in page
    assert file.read_text() in BLOCK.findall(page)


RULE = "If the response to a start is lost, the job is not yours: repeat the start "
RULE_OF = [
    "docs/how-to/run-a-worker.md",
    "docs/how-to/record-jobs.md",
    "docs/how-to/record-jobs-from-python.md",
    "docs/reference/writing.md",
]


@pytest.mark.parametrize("name", RULE_OF)
def test_one_rule_for_a_start_whose_answer_was_lost(name: str) -> None:
    words = " ".join((ROOT / name).read_text().replace("**", "").split())
    assert RULE in words
    before, _, after = words.partition(RULE)
    assert "leave the job: if it was your own lost start, the " in after
    assert RULE not in before + after
    # What a start answers says nothing of whose it was.
    assert "current" not in after.partition("gives it back")[0]


def test_there_are_files() -> None:
    assert {file.stem for file in FILES} == {"apollo", "resuming", "transports", "urql"}
