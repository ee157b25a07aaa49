"""The dashboard in German: each page is in one language."""

import re
from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.support.checkout import ROOT

TEXTS = ROOT / "frontend" / "src" / "dashboard" / "text"
WORD = re.compile(r"^  '([\w.-]+)':\s+'((?:[^'\\]|\\.)*)',$", re.MULTILINE)
PAGES = ["overview", "jobs", "job", "errors", "error", "queues", "queue", "types", "type"]
PAGES += ["batches", "batch", "sources", "source", "activity", "settings"]


def words(language: str) -> dict[str, str]:
    texts = (path.read_text(encoding="utf-8") for path in sorted((TEXTS / language).glob("*.ts")))
    return dict(found for text in texts for found in WORD.findall(text))


def only_english() -> set[str]:
    """Words that a German page has nowhere, if all of it is in German."""
    german = words("de")
    return {text for key, text in words("en").items() if text != german[key]} - set(german.values())


def test_there_are_words() -> None:
    assert set(words("en")) == set(words("de"))
    assert {"Priority", "Last error"} <= only_english()


@pytest.mark.parametrize("name", PAGES)
async def test_headings_and_buttons_are_german(
    browser: Browser, still_url: str, places: Mapping[str, str], name: str
) -> None:
    async with visiting_dashboard(browser, still_url, locale="de-DE") as page:
        await page.goto(still_url + places[name])
        await settled(page)
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        shown = await page.locator("h1, h2, h3, th, dt, button, label").all_inner_texts()
    assert {text.strip() for text in shown} & only_english() == set()
