"""`python -m server.cli`: the command `joblens`, without its installed script."""

from server.cli.main import app

if __name__ == "__main__":
    app(prog_name="joblens")
