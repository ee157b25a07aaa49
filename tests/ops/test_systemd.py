"""The systemd unit is valid and confined, and its settings are known."""

import json
import re
import subprocess
from pathlib import Path

from server.settings import Settings
from tests.ops.conftest import OPS, program

FOLDER = OPS / "systemd"
UNIT = FOLDER / "joblens.service"
# systemd's own measure, from 0 (confined) to 10 (not at all).
MAX_EXPOSURE = 2.0


def test_the_unit_is_valid(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    # Programs have to exist: here they are others.
    unit.write_text(UNIT.read_text().replace("/opt/joblens/bin/joblens", "/bin/true"))
    verify = program("systemd-analyze", "systemd")
    done = subprocess.run([verify, "verify", unit], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_confined() -> None:
    command = [program("systemd-analyze", "systemd"), "security", "--offline=true", "--json=short"]
    threshold = f"--threshold={MAX_EXPOSURE * 10:.0f}"
    done = subprocess.run([*command, threshold, UNIT], check=False, capture_output=True, text=True)
    worst = [each for each in json.loads(done.stdout or "[]") if each["exposure"]]
    assert done.returncode == 0, worst or done.stderr


def test_its_settings() -> None:
    lines = [line for line in (FOLDER / "joblens.env").read_text().splitlines() if line[0] != "#"]
    Settings.read(dict(line.split("=", 1) for line in lines))


def test_its_commands() -> None:
    commands = re.findall(
        r"^ExecStart.*=/opt/joblens/bin/joblens (.*)$", UNIT.read_text(), re.MULTILINE
    )
    assert commands == ["migrate --check", "serve"]
