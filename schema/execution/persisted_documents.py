"""Which documents may be run: any, or registered ones only; and their texts by id."""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

import structlog
from cachetools import FIFOCache, LRUCache

from db.cache_figures import CacheCounts, CacheFigures
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.parsing import IGNORED
from schema.limits.document_limits import check

PREFIX = "sha256:"
# How many unregistered documents are remembered as logged, and the logged length of a name.
LOGGED = 1_000
LOGGED_NAME_LENGTH = 128

log = structlog.get_logger("joblens.documents")


class Mode(StrEnum):
    """What becomes of a document that was not registered."""

    ANY = "any"
    PREFER = "prefer"
    ONLY = "only"


class DocumentRequest(NamedTuple):
    """What a request says of its document: its text, its id, Apollo's hash of it, or several."""

    text: str | None
    document_id: str | None = None
    sha256_hash: str | None = None
    operation_name: str | None = None


class ResolvedDocument(NamedTuple):
    """A document's text. `keep_as`: the hash to keep it by, once it is known to be valid."""

    text: str
    trusted: bool
    keep_as: str | None = None


class AutomaticDocuments:
    """Documents that clients registered, by hash. The least recently used are evicted."""

    def __init__(self, max_bytes: int) -> None:
        self._texts: LRUCache[str, str] = LRUCache(max_bytes, getsizeof=_bytes)
        self._counts = CacheCounts()

    @property
    def figures(self) -> CacheFigures:
        """How many there are, and how often one was found by its hash alone."""
        return self._counts.figures(len(self._texts))

    def get(self, sha256_hash: str) -> str | None:
        """Get a text; it becomes the most recently used."""
        text = self._texts.get(sha256_hash)
        if text is None:
            self._counts.misses += 1
        else:
            self._counts.hits += 1
        return text

    def keep(self, sha256_hash: str, text: str) -> None:
        """Keep a text if it fits."""
        # The cache raises ValueError for a text that does not fit.
        if sha256_hash not in self._texts:
            with suppress(ValueError):
                self._texts[sha256_hash] = text


class Documents:
    """The registered documents, and what they are registered for."""

    def __init__(
        self,
        mode: Mode = Mode.ANY,
        by_id: Mapping[str, str] | None = None,
        automatic: AutomaticDocuments | None = None,
    ) -> None:
        self.mode = mode
        self._texts = frozenset((by_id or {}).values())
        # A document is also found by the hash of its text, whatever its id.
        hashed = {digest(text): text for text in self._texts}
        prefixed = {PREFIX + id_: text for id_, text in hashed.items()}
        self._by_id = {**hashed, **prefixed, **(by_id or {})}
        self._automatic = automatic
        self._logged: FIFOCache[str, None] = FIFOCache(LOGGED)

    @property
    def automatic(self) -> CacheFigures:
        """The figures of the documents that clients registered."""
        return CacheFigures() if self._automatic is None else self._automatic.figures

    def find(self, asked: DocumentRequest, max_characters: int) -> ResolvedDocument:
        """Find the requested document. Raises JoblensError if it may not be run.

        A text that is sent is what runs, whatever id comes with it. One that was not registered and
        is too long is refused before it is hashed, for that takes its time too.
        """
        if not asked.text:
            found = self._by_any_id(asked)
        else:
            found = ResolvedDocument(asked.text, asked.text in self._texts)
        if not found.trusted:
            self._check(found.text, asked.operation_name, max_characters)
        if asked.text and self._automatic is not None and asked.sha256_hash:
            return found._replace(keep_as=_checked(asked.sha256_hash, asked.text))
        return found

    def keep(self, found: ResolvedDocument) -> None:
        """Keep a valid document that its client registers."""
        if found.keep_as is not None and self._automatic is not None and not found.trusted:
            self._automatic.keep(found.keep_as, found.text)

    def _by_any_id(self, asked: DocumentRequest) -> ResolvedDocument:
        for id_ in (asked.document_id, asked.sha256_hash):
            text = self._by_id.get(id_) if id_ else None
            if text is not None:
                return ResolvedDocument(text, trusted=True)
        if asked.sha256_hash and self._automatic is not None:
            text = self._automatic.get(asked.sha256_hash.lower())
            if text is not None:
                return ResolvedDocument(text, trusted=False)
        # Apollo's clients compare this message.
        if asked.sha256_hash and self._automatic is None and self.mode is not Mode.ONLY:
            code = ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
            raise JoblensError(code, "PersistedQueryNotSupported")
        raise JoblensError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")

    def _check(self, text: str, operation_name: str | None, max_characters: int) -> None:
        if self.mode is Mode.ONLY:
            message = "Only registered documents are answered here: send the id of one."
            raise JoblensError(ErrorCode.UNTRUSTED_DOCUMENT, message)
        words = "The document has {} characters"
        check("documentCharacters", len(text.rstrip(IGNORED)), max_characters, words)
        if self.mode is Mode.PREFER:
            self._note(text, operation_name)

    def _note(self, text: str, operation_name: str | None) -> None:
        hashed = digest(text)
        if hashed in self._logged:
            return
        self._logged[hashed] = None
        name = (operation_name or "")[:LOGGED_NAME_LENGTH] or None
        log.warning("unregistered document", sha256=hashed, operation=name)


def digest(text: str) -> str:
    """Hash a document's text as clients do."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _checked(sha256_hash: str, text: str) -> str:
    hashed = digest(text)
    if sha256_hash.lower() != hashed:
        raise JoblensError(ErrorCode.BAD_REQUEST, "'sha256Hash' is not the hash of 'query'.")
    return hashed


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
