"""The command `joblens`: one module for each group of commands."""

from server.cli.main import app

__all__ = ["app"]
