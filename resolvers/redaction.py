"""Secrets in what jobs carry: found by the names of keys, and as credentials in URLs."""

import re
from collections.abc import Iterator
from numbers import Number
from typing import Any

import orjson

from db.url_credentials import hide_credentials
from resolvers.secret_keys import DEFAULT_KEYS, SecretKeys

HIDDEN = "[redacted]"
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*:\s*)?', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)

Span = tuple[int, int, str]


class Redaction:
    """Hides secrets. JSON stays PostgreSQL's own text: only the hidden parts are written anew.

    Hidden are text, objects and lists under a secret key, whole. Numbers, true, false and null are
    no secrets. `keys` names the secret keys, and `exceptions` those that are none: see SecretKeys.
    """

    def __init__(self, keys: str = DEFAULT_KEYS, exceptions: str | None = None) -> None:
        self._keys = SecretKeys(keys, exceptions)

    def is_secret(self, key: str) -> bool:
        """Say whether text under a key of this name is secret."""
        return key in self._keys

    def json(self, value: orjson.Fragment | None) -> orjson.Fragment | None:
        """Hide the secrets of a JSON column."""
        if value is None:
            return None
        written = orjson.dumps(value)
        if not self._may_hold_secrets(written):
            return value
        text, parts, copied = written.decode(), [], 0
        for start, end, shown in self._secrets(text):
            parts += [text[copied:start], shown]
            copied = end
        return orjson.Fragment("".join([*parts, text[copied:]])) if parts else value

    def message(self, key: str, text: str | None) -> str | None:
        """Hide the secrets of a text that `key` names."""
        if text is None:
            return None
        return HIDDEN if self.is_secret(key) else hide_credentials(text)

    def touches(self, document: Any) -> bool:
        """Say whether a JSON value speaks of something that is hidden: to compare would tell."""
        if isinstance(document, str):
            return hide_credentials(document) != document
        if isinstance(document, dict):
            return any(
                (self.is_secret(key) and not _is_plain(value))
                or self.touches(key)
                or self.touches(value)
                for key, value in document.items()
            )
        return isinstance(document, list) and any(map(self.touches, document))

    def _may_hold_secrets(self, written: bytes) -> bool:
        return (b"://" in written and b"@" in written) or self._keys.may_be_in(written)

    def _secrets(self, text: str) -> Iterator[Span]:
        """Find what is to be hidden, from left to right, with what is shown instead."""
        place = 0
        while (found := _STRING.search(text, place)) is not None:
            place = found.end()
            if "://" in found[1]:
                string = _unescaped(found[1])
                if (shown := hide_credentials(string)) != string:
                    yield found.start(), found.end(1) + 1, orjson.dumps(shown).decode()
            if found[2] is None or text[place] not in '"[{':
                continue
            if self.is_secret(_unescaped(found[1])):
                start, place = place, _value_end(text, place)
                yield start, place, f'"{HIDDEN}"'


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, Number)


def _unescaped(raw: str) -> str:
    return orjson.loads(f'"{raw}"') if "\\" in raw else raw


def _value_end(text: str, start: int) -> int:
    """Find where the text, object or list that begins here ends."""
    depth = 0
    for token in _BRACKET.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth <= 0:
            return token.end()
    return len(text)
