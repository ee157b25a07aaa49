"""The name of this process, for libraries whose workers have none."""

from os import getpid
from socket import gethostname


def process_name() -> str:
    """Return the host's name and the number of the process."""
    return f"{gethostname()}:{getpid()}"
