"""The embedded PostgreSQL's first start as root, where the user that it runs as does not exist yet.

Each scenario has the users and groups of this machine to itself: a copy of /etc.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

FRESH_MACHINE = Path(__file__).parent / "fresh-machine"
LOCK = Path("/run/joblens-useradd.lock")
AT_ONCE = 8

# Starts a server when as many processes are ready to, and tells whom its cluster belongs to; or why
# there is none.
START = """
import pwd, sys
from pathlib import Path
from db import embedded
data_dir, starters = Path(sys.argv[1]), int(sys.argv[2])
data_dir.with_suffix(".ready").touch()
while len(list(data_dir.parent.glob("*.ready"))) < starters:
    pass
try:
    embedded.start(data_dir).stop()
    uid = (data_dir / "postgres").stat().st_uid
    told = " ".join(each.pw_name for each in pwd.getpwall() if each.pw_uid == uid)
except embedded.EmbeddedError as error:
    told = str(error)
# In one piece: others write at the same time.
sys.stdout.write(told + chr(10))
"""
ONE = '"$PYTHON" -W error -c "$START" "$DATA/1" 1'
ALL_AT_ONCE = f"""
for number in {{1..{AT_ONCE}}}; do
    "$PYTHON" -W error -c "$START" "$DATA/$number" {AT_ONCE} &
done
wait
"""


def told(data: Path, scenario: str) -> list[str]:
    """Run a scenario of Bash on a fresh machine; get the lines that it prints."""
    variables = {"PYTHON": sys.executable, "START": START, "DATA": str(data)}
    done = subprocess.run(
        [FRESH_MACHINE, "bash", "-c", scenario],
        env=os.environ | variables | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_fresh_machine_has_no_such_user(tmp_path: Path) -> None:
    assert told(tmp_path, "getent passwd pgserver || echo none") == ["none"]


def test_first_starts_at_once(tmp_path: Path) -> None:
    assert told(tmp_path, ALL_AT_ONCE) == ["pgserver"] * AT_ONCE
    # Another user who may open the lock could hold it.
    assert LOCK.stat().st_mode & 0o077 == 0


def test_first_starts_while_another_program_makes_users(tmp_path: Path) -> None:
    lock = """
    sleep 1000 & holder=$!
    printf '%s\\0' $holder > /etc/passwd.lock
    (sleep 3; kill $holder; rm /etc/passwd.lock) &
    """
    assert told(tmp_path, lock + ALL_AT_ONCE) == ["pgserver"] * AT_ONCE


def test_first_starts_while_another_program_makes_the_same_user(tmp_path: Path) -> None:
    others = """
    (for _ in {1..20}; do useradd --system pgserver; sleep 0.05; done) 2>/dev/null &
    (for _ in {1..20}; do useradd --system pgserver; sleep 0.05; done) 2>/dev/null &
    """
    assert told(tmp_path, others + ALL_AT_ONCE) == ["pgserver"] * AT_ONCE


def test_a_group_of_that_name_is_there_already(tmp_path: Path) -> None:
    group = "groupadd --system pgserver\n"
    assert told(tmp_path, f"{group}{ONE}; id -gn pgserver") == ["pgserver"] * 2


def test_data_of_a_user_that_is_gone(tmp_path: Path) -> None:
    """As where data outlasts the machine on which it was made."""
    assert told(tmp_path, f"{ONE}; userdel --force pgserver 2>/dev/null; {ONE}") == ["pgserver", ""]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("export PATH=/nowhere", "No such file or directory: 'useradd'"),
        ("mount -o remount,ro,bind /etc", "cannot lock /etc/passwd"),
    ],
)
def test_no_user_can_be_made(tmp_path: Path, harm: str, reason: str) -> None:
    (line,) = told(tmp_path, f"{harm}; {ONE}")
    assert "the user pgserver could not be created" in line
    assert reason in line
