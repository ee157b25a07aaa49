"""The files of the dashboard, which is built from `frontend/` into `server/dashboard/`."""

from pathlib import Path

from schema.execution.persisted_documents import digest
from server.document_manifests import ManifestError, read_manifest
from server.settings import PREFIX, SettingsError

FOLDER = Path(__file__).parent / "dashboard"
# Below the folder of assets that several pages share by their URLs.
ASSETS = Path("assets", "dashboard")


def read_page(folder: Path = FOLDER) -> str | None:
    """Read the HTML; None if it is not built."""
    page = folder / "index.html"
    return page.read_text(encoding="utf-8") if page.is_file() else None


def read_documents(folder: Path = FOLDER) -> dict[str, str]:
    """Read the documents that the page sends: their texts by hash; none if it is not built.

    Raises SettingsError, which names the file.
    """
    file = folder / "documents.json"
    if not file.is_file():
        return {}
    try:
        by_hash = dict(read_manifest(file))
    except ManifestError as error:
        raise _fault(str(error)) from None
    for hash_, text in by_hash.items():
        if digest(text) != hash_:
            raise _fault(f"{file}: {hash_!r} is not the hash of its document")
    return by_hash


def _fault(reason: str) -> SettingsError:
    return SettingsError(f"{PREFIX}DASHBOARD: {reason}; build the page again")
