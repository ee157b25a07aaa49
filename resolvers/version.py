"""The version of Joblens that is installed."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version() -> str:
    """Return the version, or a text that says that there is none."""
    try:
        return version("joblens")
    except PackageNotFoundError:
        return "from a checkout that is not installed"
