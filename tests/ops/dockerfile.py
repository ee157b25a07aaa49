"""Runs the steps of a Dockerfile without Docker: each stage in a folder that is mounted at `/opt`.

It knows the instructions that `ops/Dockerfile` has, and no others. What it does not try: the base
images (programs are this machine's), and that nothing outside of `/opt` changes. Needs root.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT_FOLDER = "/opt"
# The images have these, and no variable of this checkout or its settings.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Stage:
    """One stage: its base image, its steps, and what its image is started with."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """Get the argument of the last such instruction."""
        return [argument for each, argument in self.steps if each == instruction][-1]

    @property
    def variables(self) -> list[str]:
        """Its variables, as words of a shell, in which earlier ones may be used."""
        return [word for each, argument in self.steps if each == "ENV" for word in argument.split()]


def parse(text: str) -> list[Stage]:
    """Parse a Dockerfile whose comments are whole lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        instruction, _, argument = line.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = argument.partition(" AS ")
            stages.append(Stage(base, name or str(len(stages))))
        elif instruction:
            stages[-1].steps.append((instruction, argument.strip()))
    return stages


def copy_context(source: Path, ignored: Path, target: Path) -> None:
    """Copy a folder as the context of a build, without what the file `ignored` names."""
    patterns = [each for each in ignored.read_text().split("\n") if each and each[0] != "#"]

    def ignore(folder: str, names: list[str]) -> set[str]:
        where = Path(folder).relative_to(source)
        return {name for name in names if _is_ignored((where / name).as_posix(), patterns)}

    shutil.copytree(source, target, ignore=ignore, symlinks=True)


def _is_ignored(path: str, patterns: list[str]) -> bool:
    return any(
        fnmatch.fnmatch(path, pattern)
        or (pattern.startswith("**/") and fnmatch.fnmatch(path, pattern[3:]))
        for pattern in patterns
    )


def build(stages: list[Stage], context: Path, folder: Path) -> Path:
    """Run all stages; get the folder that `/opt` is in the last one."""
    roots: dict[str, Path] = {}
    for stage in stages:
        root = roots[stage.name] = folder / f"stage-{stage.name}"
        root.mkdir(mode=0o755)
        script = "\n".join(["set -e", *_commands(stage, context, roots)])
        within(root, script)
    return roots[stages[-1].name]


def _commands(stage: Stage, context: Path, roots: dict[str, Path]) -> Iterator[str]:
    for instruction, argument in stage.steps:
        match instruction:
            case "WORKDIR":
                yield f"mkdir -p {argument} && cd {argument}"
            case "COPY":
                yield _copy(argument.split(), context, roots)
            case "RUN":
                yield f"/bin/sh -c {shlex.quote(argument)}"
            case "ENV":
                yield f"export {argument}"
            case "USER" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                pass
            case _:
                raise AssertionError(f"an instruction that is not known here: {instruction}")


def _copy(words: list[str], context: Path, roots: dict[str, Path]) -> str:
    *sources, target = words
    if sources[0].startswith("--from="):
        root = roots[sources.pop(0).removeprefix("--from=")]
        paths = [f"{root}{each.removeprefix(ROOT_FOLDER)}" for each in sources]
    else:
        paths = [f"{context}/{each}" for each in sources]
    return f"mkdir -p {target} && cp -a {' '.join(paths)} {target}"


def within(root: Path, script: str) -> None:
    """Run a script of a shell where `/opt` is this folder, and settings are those of an image."""
    mounted = f"mount --bind {root} {ROOT_FOLDER}\n{script}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    subprocess.run(
        ["unshare", "--mount", "/bin/bash", "-c", mounted],
        check=True,
        env=kept | {"PATH": PATH},
        cwd="/",
    )


def exec_form(argument: str) -> list[str]:
    """Get the words of an instruction that has them as a JSON list."""
    words: list[str] = json.loads(argument[argument.index("[") :])
    return words
