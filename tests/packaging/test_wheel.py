"""The wheel, installed in a virtual environment of its own, works outside the checkout."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
URL = re.compile(r"http://127\.0\.0\.1:\d+/graphql")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path: the embedded PostgreSQL puts its socket below it."""
    path = Path(tempfile.mkdtemp(prefix="joblens-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def joblens(folder: Path, wheel: Path) -> Path:
    """The command, installed with the dependencies that the tests themselves run on."""
    home = folder / "venv"
    venv.create(home, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    # Its dependencies are at hand already; the editable install beside them is not seen from here.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *offline, str(wheel)], check=True)
    return python.with_name("joblens")


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    return {**plain, "JOBLENS_DATA_DIR": str(folder / "data"), "JOBLENS_PORT": "0"}


def test_what_is_in_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"server", "schema", "resolvers", "db"}
    assert "db/alembic/env.py" in names
    assert "server/graphiql/index.html" in names
    assert not [name for name in names if "__pycache__" in name or "node_modules" in name]


def test_it_migrates(joblens: Path, folder: Path, environment: dict[str, str]) -> None:
    for arguments in (["--version"], ["migrate"], ["migrate", "--check"], ["doctor"]):
        run = subprocess.run(
            [joblens, *arguments],
            check=False,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr + run.stdout
    where = [joblens.with_name("python"), "-c", "import db; print(db.__file__)"]
    found = subprocess.run(where, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(folder))


def test_its_demo_serves_graphiql(joblens: Path, folder: Path, environment: dict[str, str]) -> None:
    demo = subprocess.Popen(
        [joblens, "demo"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    try:
        (url,) = next(found for line in demo.stdout if (found := URL.findall(line)))
        page = httpx.get(url, headers={"accept": "text/html"})
        script = page.text.partition('src="./assets/')[2].partition('"')[0]
        assert httpx.get(url.replace("graphql", f"assets/{script}")).status_code == 200
        answer = httpx.post(url, json={"query": "{ jobs { count { value } } }"}).json()
        assert answer["data"]["jobs"]["count"]["value"] > 1_000
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=PATIENCE_SECONDS) == 0
        demo.stdout.close()
