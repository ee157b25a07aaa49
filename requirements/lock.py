"""Resolves pyproject.toml's dependencies into the locked files beside this one.

One resolution serves every platform and Python; no file names where packages come from.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-annotate",
    "--no-header",
    "--quiet",
)


# What the tests of the client for Python workers run, each in an environment of its own.
CLIENT = HERE.parent / "clients" / "python"
LIBRARIES = ("celery", "dramatiq", "rq", "arq", "taskiq", "huey", "saq")


def lock(name: str, *sources: str, oldest: str = "3.11") -> None:
    """Write one locked file. Versions that are locked stay, unless an option says otherwise.

    `oldest`: the oldest Python that it serves.
    """
    options = (*OPTIONS, f"--python-version={oldest}", *sys.argv[1:])
    command = [sys.executable, "-m", "uv", "pip", "compile", *options]
    subprocess.run([*command, *sources, "-o", str(HERE / name)], check=True, cwd=HERE.parent)


if __name__ == "__main__":
    lock("runtime.txt", "pyproject.toml")
    lock("dev.txt", "pyproject.toml", "--group=dev", "--constraint=requirements/runtime.txt")
    lock("node.txt", "--group=node")
    lock("packaging.txt", "--group=packaging")
    lock("queues.txt", "--group=queues")
    lock("ops.txt", "--group=ops")
    lock(
        "queue-demo.txt",
        "pyproject.toml",
        "--extra=queue-demo",
        "--constraint=requirements/dev.txt",
    )
    for library in LIBRARIES:
        group = f"--group={CLIENT}/pyproject.toml:{library}"
        lock(str(CLIENT / "requirements" / f"{library}.txt"), group, oldest="3.10")
