"""The dashboard's built page has what the server writes into it, and documents that it may send."""

import re

import pytest
from graphql import OperationDefinitionNode

from schema.execution.documents import CACHED_DOCUMENT_CHARACTERS, read
from server.built_dashboard import ASSETS, FOLDER, read_documents, read_page
from server.document_rules import make_rules
from server.http import dashboard
from server.settings import Settings

MAX_COST = 500
# The chart with the most points, and the longest lists, before more is asked for.
VARIABLES = {
    "from": "2026-11-01T00:00:00Z",
    "until": "2026-11-09T08:00:00Z",
    "bucket": "HOUR",
    "first": 60,
}
QUEUES = {"first": 100}
DOCUMENTS = sorted(read_documents().values())
RULES = make_rules(Settings.read({}))


def page() -> str:
    built = read_page()
    assert built is not None, "make setup"
    return built


@pytest.mark.parametrize(
    "unknown", [dashboard.ROOT_UNKNOWN, dashboard.AUTH_UNKNOWN, dashboard.GRAPHIQL_UNKNOWN]
)
def test_the_server_finds_what_it_writes(unknown: str) -> None:
    assert page().count(unknown) == 1


def test_all_its_files_are_its_own() -> None:
    named = re.findall(r'(?:src|href)="([^"]+)"', page())
    assert any(name.endswith(".js") for name in named)
    assert any(name.endswith(".css") for name in named)
    for name in named:
        assert name.startswith(f"./{ASSETS.as_posix()}/")
        assert (FOLDER / name).is_file()


def test_nothing_is_inline() -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|<base", page())


def test_it_has_documents() -> None:
    assert len(DOCUMENTS) > 10


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text.split("(")[0].split("{")[0])
def test_a_document_fits(text: str) -> None:
    """It is valid by the schema, within the limits of any document, and is kept parsed."""
    document, errors = read(text, RULES, trusted=False)
    assert errors == []
    assert document is not None
    assert len(text) <= CACHED_DOCUMENT_CHARACTERS
    for definition in document.node.definitions:
        if isinstance(definition, OperationDefinitionNode):
            assert definition.name is not None
            of_it = QUEUES if definition.name.value == "Queues" else {}
            assert document.cost(definition, VARIABLES | of_it) <= MAX_COST
