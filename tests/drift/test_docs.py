"""The docs: generated pages are up to date, links lead somewhere, commands exist."""

import re
from functools import cache
from pathlib import Path

import pytest

from docs.generate import PAGES, REFERENCE
from server.http.dashboard import LISTS
from tests.support.checkout import ROOT

TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
JOBLENS = re.compile(r"^(?:\$ )?joblens ([a-z]+)", re.MULTILINE)
VARIABLE = re.compile(r"\bJOBLENS_[A-Z_]+\b")


@cache
def page(name: str) -> str:
    """Get a page as the code has it."""
    return PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text() == page(name), "run `make docs`"


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(text: Path) -> None:
    targets = [target for target, _ in LINK.findall(text.read_text())]
    local = [target for target in targets if not target.startswith(("http:", "https:", "mailto:"))]
    assert [target for target in local if not (text.parent / target).exists()] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_settings_exist(text: Path) -> None:
    words = text.read_text()
    made = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(MAKE.findall(words)) - set(made) <= {"sure"}
    listed = page("commands.md")
    assert [name for name in JOBLENS.findall(words) if f"`joblens {name}`" not in listed] == []
    known = set(VARIABLE.findall(page("settings.md"))) | {"JOBLENS_TEST_DATABASE_URL"}
    assert set(VARIABLE.findall(words)) - known - {"JOBLENS_"} == set()


def nginx(name: str) -> str:
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / name).read_text(), re.DOTALL)
    return str(block)


@pytest.mark.parametrize("name", ["how-to/operate.md", "how-to/serve-the-dashboard.md"])
def test_the_proxy_in_the_docs_sets_each_header_once(name: str) -> None:
    block = nginx(name)
    names = re.findall(r"proxy_set_header (\S+)", block)
    assert len(names) == len(set(names))
    assert {"Host", "X-Forwarded-For", "Upgrade", "Connection"} == set(names)
    # As it came, an upgrade to anything would be passed on.
    assert "proxy_set_header Upgrade $http_upgrade" not in block


def test_the_proxy_in_the_docs_passes_on_all_pages() -> None:
    (location,) = re.findall(r"location ~ (\S+) \{", nginx("how-to/operate.md"))
    paths = ["/", "/graphql", "/assets/dashboard/page.js", "/jobs/1", "/types/a/b"]
    for path in (*paths, *(f"/{name}" for name in LISTS)):
        assert re.match(location, path), path
    for path in ("/healthz", "/readyz", "/nothing", "/jobsx"):
        assert not re.match(location, path), path
