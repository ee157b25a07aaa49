"""Server processes of their own start as the command did under `opentelemetry-instrument`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_MODULE = "opentelemetry.instrumentation.auto_instrumentation"
_VARIABLE = "PYTHONPATH"


def instrumentation() -> Mapping[str, str]:
    """Return the variables by which a new Python sets up the SDK if this one did, else none.

    The folder has a `sitecustomize.py`. Some versions of OpenTelemetry remove it from the path once
    they have set up the first process.
    """
    module = sys.modules.get(_MODULE)
    if module is None or module.__file__ is None:
        return {}
    folder = str(Path(module.__file__).parent)
    given = os.environ.get(_VARIABLE, "").split(os.pathsep)
    others = [each for each in given if each not in {"", folder}]
    return {_VARIABLE: os.pathsep.join([folder, *others])}
