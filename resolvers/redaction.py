"""Redaction of secrets in jobs and events: values of secret keys, and credentials in URLs."""

import re
from collections.abc import Iterator
from numbers import Number
from typing import Any

import orjson

from db.url_credentials import hide_credentials
from resolvers.secret_keys import DEFAULT_KEYS, SecretKeys

REDACTED = "[redacted]"
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*:\s*)?', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)

Span = tuple[int, int, str]


class Redaction:
    """Redacts secrets. The rest of a JSON text stays exactly as PostgreSQL wrote it.

    The text, object or list of a secret key is replaced as a whole; numbers, booleans and null are
    not secret. `keys`: names of secret keys; `exceptions`: keys that are not secret; see
    SecretKeys.
    """

    def __init__(self, keys: str = DEFAULT_KEYS, exceptions: str | None = None) -> None:
        self._keys = SecretKeys(keys, exceptions)

    def is_secret(self, key: str) -> bool:
        """Return whether text under this key is secret."""
        return key in self._keys

    def json(self, text: str | None) -> str | None:
        """Redact the text of a JSON column."""
        if text is None or not self.may_contain_secrets(text.encode()):
            return text
        pieces, copied = [], 0
        for start, end, replacement in self._secrets(text):
            pieces += [text[copied:start], replacement]
            copied = end
        return "".join([*pieces, text[copied:]]) if pieces else text

    def text(self, key: str, text: str | None) -> str | None:
        """Redact text that is stored under `key`."""
        if text is None:
            return None
        return REDACTED if self.is_secret(key) else hide_credentials(text)

    def affects(self, document: Any) -> bool:
        """Return whether a JSON value has a secret or a key whose value would be redacted.

        Comparing jobs with such a value would reveal the secret.
        """
        if isinstance(document, str):
            return hide_credentials(document) != document
        if isinstance(document, dict):
            return any(
                (self.is_secret(key) and not _is_never_secret(value))
                or self.affects(key)
                or self.affects(value)
                for key, value in document.items()
            )
        return isinstance(document, list) and any(map(self.affects, document))

    def may_contain_secrets(self, encoded: bytes) -> bool:
        """Return whether JSON text may have something to redact, by a quick look for its signs."""
        return (b"://" in encoded and b"@" in encoded) or self._keys.may_be_in(encoded)

    def _secrets(self, text: str) -> Iterator[Span]:
        """Find the spans to replace, from left to right, each with its replacement."""
        position = 0
        while (match := _STRING.search(text, position)) is not None:
            position = match.end()
            if "://" in match[1]:
                string = _unescaped(match[1])
                if (redacted := hide_credentials(string)) != string:
                    yield match.start(), match.end(1) + 1, orjson.dumps(redacted).decode()
            if match[2] is None or text[position] not in '"[{':
                continue
            if self.is_secret(_unescaped(match[1])):
                start, position = position, _value_end(text, position)
                yield start, position, f'"{REDACTED}"'


def _is_never_secret(value: object) -> bool:
    return value is None or isinstance(value, Number)


def _unescaped(raw: str) -> str:
    return orjson.loads(f'"{raw}"') if "\\" in raw else raw


def _value_end(text: str, start: int) -> int:
    """Return the end of the text, object or list that starts at `start`."""
    depth = 0
    for token in _BRACKET.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth <= 0:
            return token.end()
    return len(text)
