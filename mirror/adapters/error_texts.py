"""Class and message of errors, as found in the texts that queues keep."""

import re
from typing import NamedTuple


class Error(NamedTuple):
    """The class and the message of an error; what is missing is None."""

    code: str | None
    message: str | None


_ELIXIR = re.compile(r"\*\* \(([^)\s]+)\) ?(.*?)(?=\n {4}|\Z)", re.DOTALL)
_RUBY = re.compile(r"([A-Z]\w*(?:::[A-Z]\w*)*): (.*)", re.DOTALL)
# An exception of a traceback: its class begins the first line after the stack that is not indented.
_PYTHON = re.compile(r"([A-Za-z_][\w.]*)(?:: ?(.*))?", re.DOTALL)
_STACKS = re.compile(r"^Traceback \(most recent call last\):\n", re.MULTILINE)
_LINKS = re.compile(
    r"\n\n(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\n\s*\Z"
)


def elixir_error(text: str) -> Error:
    """Read `** (Module) message`, which the stack follows."""
    match = _ELIXIR.match(text)
    return Error(match[1], match[2].strip() or None) if match else Error(None, text or None)


def ruby_error(text: str) -> Error:
    """Read `Class: message`."""
    match = _RUBY.fullmatch(text)
    return Error(match[1], match[2] or None) if match else Error(None, text or None)


def python_errors(traceback: str) -> list[Error]:
    """Read the exceptions of a traceback in their order: the last is the one that was reported."""
    return [
        Error(match[1], match[2] or None)
        for part in _STACKS.split(traceback)
        if (match := _PYTHON.fullmatch(_without_stack(_LINKS.sub("", part)).strip()))
    ]


def _without_stack(text: str) -> str:
    lines = text.splitlines()
    indented = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    if not indented:
        return text
    first = next(
        (n for n in range(indented[-1], len(lines)) if not lines[n].startswith(" ")), len(lines)
    )
    return "\n".join(lines[first:])
