"""The URLs that a server prints once it listens: of what it serves, and of nothing else."""

import pytest

from server.cli.uvicorn_server import address, announce, listen
from server.settings import Settings

DASHBOARD = "dashboard  {base}/"
GRAPHIQL = "GraphiQL   {base}/graphql"
API = "GraphQL    {base}/graphql"
HEALTH = "health     {base}/healthz"


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        ({}, [DASHBOARD, GRAPHIQL, HEALTH]),
        ({"JOBLENS_DASHBOARD": "false"}, [GRAPHIQL, HEALTH]),
        ({"JOBLENS_GRAPHIQL": "false"}, [DASHBOARD, API, HEALTH]),
        ({"JOBLENS_DOCUMENTS": "only"}, [DASHBOARD, API, HEALTH]),
    ],
    ids=str,
)
def test_the_urls(
    capsys: pytest.CaptureFixture[str], variables: dict[str, str], lines: list[str]
) -> None:
    settings = Settings.read({"JOBLENS_PORT": "0", **variables})
    with listen(settings) as listener:
        announce(settings, listener)
        base = address(listener)
    told = capsys.readouterr().out.splitlines()
    assert told == [line.format(base=base) for line in lines]
