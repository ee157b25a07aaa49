"""The docs of the dashboard have every key of its search, every shortcut, and pictures that exist."""

import re
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

SOURCE = ROOT / "frontend" / "src" / "dashboard"
PAGE = ROOT / "docs" / "how-to" / "use-the-dashboard.md"
PICTURES = re.compile(r'(?:src|srcset)="([^"]+)"')
TEXTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LARGEST_PICTURE_BYTES = 250_000


def rows(heading: str) -> dict[str, str]:
    """Get the lines of the table below a heading, by their first cell."""
    section = PAGE.read_text().partition(f"\n{heading}\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| (`[^|]+) \| (.+) \|$", section, re.MULTILINE))


def test_every_key_of_the_search_is_in_the_page() -> None:
    keys = re.findall(
        r"^  \{ key: '(\w+)'.*?\},$", (SOURCE / "language/keys.ts").read_text(), re.MULTILINE
    )
    assert len(keys) > 20
    assert [name.strip("`") for name in rows("### Keys of the search")] == [*keys, "payload"]


def test_so_are_their_other_names() -> None:
    listed = rows("### Keys of the search")
    specs = re.findall(
        r"key: '(\w+)'.*aliases: \[([^\]]*)\]", (SOURCE / "language/keys.ts").read_text()
    )
    assert specs
    for key, aliases in specs:
        for alias in re.findall(r"'(\w+)'", aliases):
            assert f"`{alias}`" in listed[f"`{key}`"]


def test_every_shortcut_is_in_the_page() -> None:
    help_ = (SOURCE / "components/key-help.tsx").read_text()
    keys = {key.lower() for key in re.findall(r"^  \['([^']+)', '", help_, re.MULTILINE)}
    assert len(keys) > 15
    listed = " ".join(re.findall(r"`([^`]+)`", " ".join(rows("## Keys"))))
    for key in keys:
        assert set(re.split(r"\s+", key)) <= set(re.split(r"[\s+]+", listed)), key


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_exist(text: Path) -> None:
    named = [text.parent / name for name in PICTURES.findall(text.read_text())]
    assert [path for path in named if not path.is_file()] == []


def test_every_picture_is_used_and_small() -> None:
    used = {
        (text.parent / name).resolve()
        for text in TEXTS
        for name in PICTURES.findall(text.read_text())
    }
    taken = set((ROOT / "docs" / "images").iterdir())
    assert taken == used
    assert all(path.stat().st_size <= LARGEST_PICTURE_BYTES for path in taken)
