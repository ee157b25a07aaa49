"""The command `joblens`, also as `python -m joblens`."""

from server.cli import app

if __name__ == "__main__":
    app(prog_name="joblens")
