"""The log events of docs/how-to/operate.md are those that the code logs."""

import re

import pytest

from tests.support.checkout import ROOT

TEXT = (ROOT / "docs" / "how-to" / "operate.md").read_text()
TABLE = TEXT.partition("| `event` in the log |")[2].partition("\n\n")[0]
EVENTS = re.findall(r"^\| `([^`]+)` \|", TABLE, re.MULTILINE)
SOURCES = [
    file.read_text()
    for folder in ("db", "mirror", "resolvers", "schema", "server")
    for file in (ROOT / folder).rglob("*.py")
]


@pytest.mark.parametrize("event", EVENTS)
def test_it_is_logged(event: str) -> None:
    assert any(f'"{event}"' in source for source in SOURCES)


def test_there_are_some() -> None:
    assert len(EVENTS) > 5
