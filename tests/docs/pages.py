"""The pages, and what stands in them: programs, queries, answers."""

import re
from typing import Any

from tests.support.checkout import ROOT

HERE = "http://127.0.0.1:8000"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CURSOR = re.compile(r"WyJ[\w-]{20,}")
# These differ between readers: of jobs that still wait or run, and of a range that the reader chooses.
MOVING = frozenset({"max", "timeline", "wait"})


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(text: str, language: str) -> list[str]:
    """Get the code of a language that a page shows, in its order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def block(text: str, language: str, heading: str, number: int = 0) -> str:
    """Get a block of a language below a heading."""
    section = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return blocks(section, language)[number]


def shape(value: Any) -> Any:
    """Get the names in an answer, without its values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return shape(value[0]) if isinstance(value, list) and value else None


def shows(shown: Any, answer: Any) -> bool:
    """Whether a page shows an answer as it is, but for times, cursors and items left out of lists."""
    if isinstance(shown, dict):
        if not isinstance(answer, dict) or shown.keys() != answer.keys():
            return False
        moving = MOVING & shown.keys()
        return all(shape(shown[name]) == shape(answer[name]) for name in moving) and all(
            shows(shown[name], answer[name]) for name in shown.keys() - moving
        )
    if isinstance(shown, list):
        rest = iter(answer)
        return all(any(shows(each, other) for other in rest) for each in shown)
    for pattern in (TIME, CURSOR):
        if isinstance(shown, str) and pattern.fullmatch(shown):
            return isinstance(answer, str) and bool(pattern.fullmatch(answer))
    return bool(shown == answer)
