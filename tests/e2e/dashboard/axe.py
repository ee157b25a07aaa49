"""axe-core, which finds what keeps people from using a page."""

from functools import cache
from typing import Any

from playwright.async_api import Page

from tests.support.checkout import ROOT

TAGS = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")
SOURCE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })"


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")


async def find_violations(page: Page) -> list[str]:
    """Run axe on the page as it is now; get a line for each rule that is violated."""
    # As a script of the page it would be refused by the page's policy.
    await page.evaluate(_source())
    found = await page.evaluate(RUN, list(TAGS))
    # Without this, a failure of axe itself would look like a page without violations.
    assert found["passes"]
    return [_line(violation) for violation in found["violations"]]


def _line(violation: dict[str, Any]) -> str:
    targets = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {'; '.join(targets)}"
