"""The lines of the log are those of structlog's own logger and formatter, to the letter."""

import re
import subprocess
import sys

import pytest

PROGRAM = r"""
import logging, sys
import structlog
from server.logging import setup

form, level, kind = sys.argv[1:]
if kind == "structlog":
    own = structlog.stdlib.ProcessorFormatter
    setup.Logger = structlog.stdlib.BoundLogger
    setup.for_formatter = own.wrap_for_formatter
    setup.Formatter = lambda before, renderer: own(
        foreign_pre_chain=before, processors=[own.remove_processors_meta, *renderer]
    )
setup.configure(form, level)
log, audit = (structlog.get_logger(name) for name in ("joblens.http", "joblens.audit"))
log.info("before")
bound = structlog.contextvars.bind_contextvars(request_id="r1")
log.info("request", method="POST", path="/a\x9bb\n", status=200)
log.bind(kept=1).info("with", more=[1, None])
log.info("%s of %s", 1, 2)
log.debug("hidden")
log.warning("careful", by="someone")
structlog.contextvars.reset_contextvars(**bound)
audit.info("refused", code="LIMIT_EXCEEDED")
logging.getLogger("other").info("found %s", "a\x9bb")
try:
    raise ValueError("wrong")
except ValueError:
    log.exception("unexpected error")
    log.info("as info", exc_info=True)
"""


def written(form: str, level: str, kind: str) -> str:
    command = [sys.executable, "-c", PROGRAM, form, level, kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", done.stderr)


@pytest.mark.parametrize("level", ["info", "error"])
@pytest.mark.parametrize("form", ["json", "text"])
def test_lines_are_those_of_structlog(form: str, level: str) -> None:
    lines = written(form, level, "joblens")
    assert lines == written(form, level, "structlog")
    assert ("before" in lines) == (level == "info")
    assert lines.count("TIME") == (9 if level == "info" else 2)
    assert "\x9b" not in lines
