"""A small page of the tests' own, built as the dashboard is: its HTML, its assets, its documents."""

import json
from hashlib import sha256
from pathlib import Path

SCRIPT = "page-Ab12.js"
FONT = "font-Cd34.woff2"
HTML = f"""<!doctype html>
<html lang="en">
  <head>
    <meta name="joblens-root" content="./">
    <meta name="joblens-auth" content="none">
    <meta name="joblens-graphiql" content="true">
    <link rel="stylesheet" href="./assets/dashboard/page-Ef56.css">
    <script type="module" src="./assets/dashboard/{SCRIPT}"></script>
  </head>
  <body><h1>Ünder test</h1></body>
</html>
"""
VIEWER = "query Who { viewer { subject } }"
LIVE = "subscription Live { statusCounts { count { value } } }"
# More than any other client may send at once.
LARGE = f"{{ {' '.join(f'a{n}: __typename' for n in range(60))} }}"
JOBS = "query Jobs($n: Int) { jobs(first: $n) { nodes { id } } }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def id_of(text: str) -> str:
    """Get the id by which the page names a document."""
    return f"sha256:{digest(text)}"


def build(folder: Path) -> Path:
    """Build the page into a folder."""
    assets = folder / "assets" / "dashboard"
    assets.mkdir(parents=True)
    (folder / "index.html").write_text(HTML, encoding="utf-8")
    (assets / SCRIPT).write_text("// a script\n" * 1_000)
    (assets / "page-Ef56.css").write_text("h1 { color: green }\n" * 1_000)
    (assets / FONT).write_bytes(bytes(range(256)) * 16)
    documents = {digest(text): text for text in (VIEWER, LIVE, LARGE, JOBS)}
    (folder / "documents.json").write_text(json.dumps(documents))
    return folder
