"""`python -m server.cli`: the command `joblens` where its script is not installed."""

from server.cli.main import app

if __name__ == "__main__":
    app(prog_name="joblens")
