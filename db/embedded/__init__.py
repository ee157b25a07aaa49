"""The embedded PostgreSQL, for trying and developing Joblens without any setup."""

from db.embedded.errors import EmbeddedError
from db.embedded.server import EmbeddedPostgres, find, shutdown, start

__all__ = ["EmbeddedError", "EmbeddedPostgres", "find", "shutdown", "start"]
