"""The how-to of live updates shows the code of its example as it is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "live-updates-in-a-frontend.md"
BLOCK = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = sorted((ROOT / "examples" / "live_frontend").glob("*.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_page_shows_the_file(file: Path) -> None:
    page = PAGE.read_text()
    assert f"`{file.name}`" in page
    assert file.read_text() in BLOCK.findall(page)


def test_there_are_files() -> None:
    assert {file.stem for file in FILES} == {"apollo", "resuming", "transports", "urql"}
