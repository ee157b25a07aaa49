"""The wheel, installed in a virtual environment of its own, works outside the checkout."""

import json
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

from hatch_build import rewritten
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_SECONDS

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
    assert tops == {"joblens"}
    for part in (
        "db/alembic/env.py",
        "server/dashboard/documents.json",
        "server/dashboard/index.html",
        "server/graphiql/index.html",
        "py.typed",
        "demo/history.py",
    ):
        assert f"joblens/{part}" in names
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


def in_python(joblens: Path, folder: Path, program: str, **settings: str) -> str:
    """Run a program in the environment of the installed wheel; get what it prints."""
    ended = subprocess.run(
        [joblens.with_name("python"), "-c", program],
        check=False,
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_each_module_imports_no_other_by_the_checkouts_name(joblens: Path, folder: Path) -> None:
    program = """
import importlib, pkgutil, sys
import joblens
import joblens.server.app
for module in pkgutil.walk_packages(joblens.__path__, "joblens."):
    if not module.name.startswith(("joblens.db.alembic", "joblens.__main__")):
        importlib.import_module(module.name)
names = {"db", "demo", "mirror", "resolvers", "schema", "server"}
print(names & set(sys.modules), joblens.__file__)
"""
    names, _, path = in_python(joblens, folder, program).rstrip().partition(" ")
    assert names == "set()"
    assert path.startswith(str(folder))


RECORD = """
import asyncio, json
from pathlib import Path
from uuid import UUID

import db
from joblens import JobRepository, JobStatus, dispose, in_transaction, session_scope
from schema import Schema

ORG_ID = UUID("00000000-0000-0000-0000-000000000001")


async def main():
    async with session_scope(ORG_ID) as session:
        made = await JobRepository(session, by="shop").create_job("email.send", payload={"n": 1})
    async def start(session):
        return await JobRepository(session).update_job_status(made.job.id, JobStatus.RUNNING)
    started = await in_transaction(ORG_ID, start)
    await dispose()
    return {"status": started.status, "payload": started.payload}


found = Schema({"status": str, "payload": {"n": int}}).validate(asyncio.run(main()))
print(json.dumps({"own": db.OWN, "found": found}))
"""


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    """A project with a module `db` of its own."""
    project = folder / "project"
    project.mkdir()
    (project / "db.py").write_text("OWN = 'of the project'\n")
    return project


@pytest.fixture(scope="module")
def library() -> Path:
    """Where the library `schema` is: apart, since in the checkout its name is a package's."""
    library = ROOT / ".venv" / "packaging"
    assert (library / "schema").exists() or (library / "schema.py").exists()
    return library


def test_beside_the_library_schema_and_a_projects_own_db(
    joblens: Path, folder: Path, project: Path, library: Path, environment: dict[str, str]
) -> None:
    environment["JOBLENS_DATA_DIR"] = str(folder / "other")
    subprocess.run([joblens, "migrate"], cwd=project, env=environment, check=True)
    url = subprocess.run(
        [joblens, "db", "start"], cwd=project, env=environment, check=True, capture_output=True
    ).stdout.decode()
    try:
        told = in_python(
            joblens,
            project,
            RECORD,
            JOBLENS_DATABASE_URL=url.strip(),
            PYTHONPATH=str(library),
        )
    finally:
        subprocess.run([joblens, "db", "stop"], cwd=project, env=environment, check=True)
    assert json.loads(told) == {
        "own": "of the project",
        "found": {"status": "running", "payload": {"n": 1}},
    }


def test_tracebacks_show_the_lines_of_the_checkout(joblens: Path, folder: Path) -> None:
    program = """
import traceback
from joblens.db.ids import new_id
from joblens.db.url_credentials import hide_credentials
try:
    hide_credentials(5)
except TypeError as error:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    print(frame.filename, frame.lineno, sep="\\n")
"""
    path, line = in_python(joblens, folder, program).splitlines()
    assert path.endswith("site-packages/joblens/db/url_credentials.py")
    own = (ROOT / "db/url_credentials.py").read_text().splitlines()[int(line) - 1]
    assert Path(path).read_text().splitlines()[int(line) - 1] == own != ""


IMPORTS = {
    "from db import x": "from joblens.db import x",
    "from db.a.b import (\n    c,\n)": "from joblens.db.a.b import (\n    c,\n)",
    "def f():\n    é = 1; from schema import x": "def f():\n    é = 1; from joblens.schema import x",
    "import db.a as b, os": "import joblens.db.a as b, os",
    "from .db import x": "from .db import x",
    "from dbm import x; import dbm": "from dbm import x; import dbm",
    "text = 'from db import x'  # from db import x": "text = 'from db import x'  # from db import x",
}


@pytest.mark.parametrize("source", IMPORTS)
def test_imports_are_rewritten_and_nothing_else(source: str) -> None:
    assert rewritten(source.encode(), "a.py").decode() == IMPORTS[source]


def test_an_import_that_would_bind_another_name_is_refused() -> None:
    with pytest.raises(SyntaxError, match=r"import db\.a"):
        rewritten(b"import db.a", "a.py")


def test_its_demo_serves_its_pages(
    joblens: Path, project: Path, library: Path, environment: dict[str, str]
) -> None:
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (project, library)))
    demo = subprocess.Popen(
        [joblens, "demo"], cwd=project, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    try:
        (url,) = next(found for line in demo.stdout if (found := URL.findall(line)))
        for page_url in (url, url.removesuffix("graphql")):
            page = httpx.get(page_url, headers={"accept": "text/html"})
            script = page.text.partition('src="./assets/')[2].partition('"')[0]
            assert httpx.get(url.replace("graphql", f"assets/{script}")).status_code == 200
        answer = httpx.post(url, json={"query": "{ jobs { count { value } } }"}).json()
        assert answer["data"]["jobs"]["count"]["value"] > 1_000
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=PATIENCE_SECONDS) == 0
        demo.stdout.close()
