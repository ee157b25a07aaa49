"""The embedded PostgreSQL: for trying Joblens and developing it, with nothing to set up."""

from db.embedded.errors import EmbeddedError
from db.embedded.server import EmbeddedPostgres, find, shutdown, start

__all__ = ["EmbeddedError", "EmbeddedPostgres", "find", "shutdown", "start"]
