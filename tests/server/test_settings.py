"""Settings: read once from the environment, and refused in words where they cannot be taken."""

import pytest
from pydantic import ValidationError

from server.settings import Settings, SettingsError


def test_defaults_need_no_variable() -> None:
    settings = Settings.read({"PATH": "/bin", "JOBLENSE": "x"})
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, None)


def test_variables_are_read_and_empty_ones_are_unset() -> None:
    settings = Settings.read({"JOBLENS_PORT": "9000", "JOBLENS_HOST": ""})
    assert (settings.port, settings.host) == (9000, "127.0.0.1")


def test_nothing_changes_afterwards() -> None:
    with pytest.raises(ValidationError):
        Settings.read({}).port = 1  # type: ignore[misc]


def test_a_password_is_not_shown() -> None:
    settings = Settings.read({"JOBLENS_DATABASE_URL": "postgresql://me:hunter2@host/db"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump())


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"JOBLENS_POTR": "1", "JOBLENS_X": "1"}, ["JOBLENS_POTR", "JOBLENS_X", "unknown"]),
        ({"JOBLENS_PORT": "many", "JOBLENS_ORG": "x"}, ["JOBLENS_PORT", "JOBLENS_ORG"]),
        ({"JOBLENS_PORT": "70000"}, ["JOBLENS_PORT", "65535"]),
        (
            {"JOBLENS_PAGE_SIZE_DEFAULT": "300"},
            ["JOBLENS_PAGE_SIZE_DEFAULT", "JOBLENS_PAGE_SIZE_MAX"],
        ),
        ({"JOBLENS_LOG_FORMAT": "xml"}, ["JOBLENS_LOG_FORMAT", "json"]),
    ],
)
def test_what_cannot_be_taken_is_named(variables: dict[str, str], words: list[str]) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.read(variables)
    assert all(word in str(refusal.value) for word in words)
