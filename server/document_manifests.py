"""Read manifests of registered documents: their ids and texts, as client tools write them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, parse

from server.settings import PREFIX, SettingsError

APOLLO = "apollo-persisted-query-manifest"


class ManifestError(Exception):
    """A manifest cannot be read; the message names the file."""


def read_manifests(directory: Path) -> dict[str, str]:
    """Read all manifests of a directory. Returns texts by id.

    Raises SettingsError, which names the file.
    """
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix == ".json")
    except OSError as error:
        raise SettingsError(f"{PREFIX}DOCUMENTS_DIR: {directory}: {error.strerror}") from None
    if not files:
        raise SettingsError(f"{PREFIX}DOCUMENTS_DIR: {directory} contains no manifest (*.json)")
    by_id: dict[str, str] = {}
    for file in files:
        try:
            for id_, text in read_manifest(file):
                if by_id.setdefault(id_, text) != text:
                    raise _fault(file, f"the id {id_!r} is already used by another document")
        except ManifestError as error:
            raise SettingsError(f"{PREFIX}DOCUMENTS_DIR: {error}") from None
    return by_id


def read_manifest(file: Path) -> Iterator[tuple[str, str]]:
    """Read one manifest. Yields ids and texts. Raises ManifestError.

    It is a JSON object of texts by id, as Relay's compiler writes it, or has version 1 of Apollo's
    format.
    """
    try:
        manifest = orjson.loads(file.read_bytes())
    except OSError as error:
        raise _fault(file, str(error.strerror)) from None
    except orjson.JSONDecodeError as error:
        raise _fault(file, f"is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise _fault(file, "is not a JSON object")
    for id_, text in _apollo(file, manifest) if "format" in manifest else manifest.items():
        if not id_ or not isinstance(id_, str) or not isinstance(text, str):
            raise _fault(file, f"{id_!r} is not an id with the text of a document")
        try:
            parse(text, no_location=True)
        except GraphQLError as error:
            raise _fault(file, f"the document {id_!r} is not GraphQL: {error.message}") from None
        yield id_, text


def _apollo(file: Path, manifest: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if (manifest["format"], manifest.get("version")) != (APOLLO, 1):
        raise _fault(file, f"is not of the format {APOLLO}, version 1")
    operations = manifest.get("operations")
    if not isinstance(operations, list):
        raise _fault(file, "has no list of operations")
    for operation in operations:
        if not isinstance(operation, dict):
            raise _fault(file, "has an operation that is not an object")
        yield operation.get("id"), operation.get("body")


def _fault(file: Path, reason: str) -> ManifestError:
    return ManifestError(f"{file}: {reason}")
