"""Build the rules for documents from the settings."""

from pathlib import Path

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.persisted_documents import AutomaticDocuments, Documents, Mode
from schema.limits.document_limits import DocumentLimits
from server import built_dashboard
from server.document_manifests import read_manifests
from server.settings import PREFIX, Settings, SettingsError


def make_rules(settings: Settings, dashboard: Path = built_dashboard.FOLDER) -> Rules:
    """Make the rules. Raises SettingsError if a manifest cannot be read.

    `dashboard`: the folder of the built page, whose documents are registered if it is served.
    """
    limits = DocumentLimits(
        max_document_characters=settings.max_document_characters,
        max_tokens=settings.max_tokens,
        max_operations=settings.max_operations,
        max_depth=settings.max_depth,
        max_root_fields=settings.max_root_fields,
        max_aliases=settings.max_aliases,
        max_directives=settings.max_directives,
        max_list_items=settings.max_list_items,
        max_input_values=settings.max_input_values,
        max_input_bytes=settings.max_body_bytes,
        max_cost=settings.max_cost,
        page_size_default=settings.page_size_default,
        page_size_max=settings.page_size_max,
    )
    automatic = None
    if settings.automatic_persisted_queries:
        automatic = AutomaticDocuments(settings.automatic_persisted_queries_bytes)
    documents = Documents(settings.documents, _registered(settings, dashboard), automatic)
    compiles = settings.executor == "compiled"
    return Rules(EXECUTABLE_SCHEMA, limits, settings.introspection, documents, compiles)


def _registered(settings: Settings, dashboard: Path) -> dict[str, str]:
    """Read the registered documents: their texts by id."""
    own = built_dashboard.read_documents(dashboard) if settings.dashboard else {}
    given = read_manifests(settings.documents_dir) if settings.documents_dir else {}
    if settings.documents is Mode.ONLY and not own and not given:
        reason = "no document is registered, since the dashboard is not built here"
        raise SettingsError(f"{PREFIX}DOCUMENTS=only: {reason}; set {PREFIX}DOCUMENTS_DIR")
    return own | given
