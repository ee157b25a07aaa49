"""The command `joblens`: one module a group of commands. What they do lives elsewhere."""

from server.cli.main import app

__all__ = ["app"]
