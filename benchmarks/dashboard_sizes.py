"""How large the built dashboard is, compressed as it is sent."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

BUILT = Path(__file__).parents[1] / "server" / "dashboard"
ASSETS = BUILT / "assets" / "dashboard"

FIRST_JS_BAR, FIRST_CSS_BAR, CHUNK_BAR = 150_000, 14_000, 25_000

_LOADED = re.compile(r'(?:src|href)="\./assets/dashboard/([^"]+\.(?:js|css))"')


def compressed(name: str) -> int:
    """Count the bytes of an asset, compressed."""
    return len(gzip.compress((ASSETS / name).read_bytes(), 9))


def first_view(kind: str) -> list[str]:
    """List the assets of a kind, `js` or `css`, that the page asks for itself."""
    names = _LOADED.findall((BUILT / "index.html").read_text())
    return sorted({name for name in names if name.endswith(f".{kind}")})


def later_chunks() -> Iterator[str]:
    """Name the scripts that are loaded when they are needed."""
    first = set(first_view("js"))
    return (path.name for path in sorted(ASSETS.glob("*.js")) if path.name not in first)


def table() -> list[tuple[str, str, str]]:
    """List the sizes and their bars."""
    scripts = sum(map(compressed, first_view("js")))
    styles = sum(map(compressed, first_view("css")))
    largest = max(map(compressed, later_chunks()))
    return [
        ("JavaScript of the first view", "150 kB", f"{scripts / 1000:.1f} kB"),
        ("CSS", "14 kB", f"{styles / 1000:.1f} kB"),
        ("the largest of the later chunks", "25 kB", f"{largest / 1000:.1f} kB"),
    ]
