"""Secrets in what jobs carry: found by the names of keys, and as credentials in URLs."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from db.credentials import hide_credentials

HIDDEN = "[redacted]"
DEFAULT_KEYS = (
    "auth,pass,pwd,*password*,*passwd*,*passphrase*,*secret*,*token*,*authorization*,*bearer*,"
    "*api_key*,*access_key*,*private_key*,*credential*,*cookie*,*connection_string*"
)
# What does not count in the name of a key, besides the case of a to z: `api_key` is `API-Key` and
# `apikey`. Both are dropped byte by byte, so that a key is found in a text that was squeezed whole.
SEPARATORS = b"-_. "
LOWER = bytes(range(256)).lower()
# As these are written in JSON with an escape, the quick look would miss them.
_UNFIT = re.compile(r'["\\\x00-\x1f]')
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*:\s*)?', re.DOTALL)
_PLAIN_VALUE = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^\s,"\[\]{}]+', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_SHORT_KEY = 100

Span = tuple[int, int, str]


class Redaction:
    """Hides secrets. JSON stays PostgreSQL's own text: only the hidden parts are written anew.

    `keys` are the names of keys whose values are secret, divided by commas; `*` stands for
    anything. Raises ValueError for one that cannot be used.
    """

    def __init__(self, keys: str = DEFAULT_KEYS) -> None:
        patterns = [_pattern(key) for key in keys.split(",")]
        globs = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns)
        self._matching = re.compile("|".join(globs), re.DOTALL)
        words = {max(pattern.split("*"), key=len) for pattern in patterns}
        # One of them is in the text of any JSON that has such a key.
        self._words = [w for w in words if not any(o in w for o in words - {w})]
        self._is_short_secret = lru_cache(maxsize=10_000)(self._matches)

    def is_secret(self, key: str) -> bool:
        """Say whether values under a key of this name are secret."""
        return self._is_short_secret(key) if len(key) <= _SHORT_KEY else self._matches(key)

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
                self.is_secret(key) or self.touches(key) or self.touches(value)
                for key, value in document.items()
            )
        return isinstance(document, list) and any(map(self.touches, document))

    def _matches(self, key: str) -> bool:
        return self._matching.fullmatch(_squeezed(key.encode(errors="surrogatepass"))) is not None

    def _may_hold_secrets(self, written: bytes) -> bool:
        if b"://" in written and b"@" in written:
            return True
        squeezed = _squeezed(written)
        return any(word in squeezed for word in self._words)

    def _secrets(self, text: str) -> Iterator[Span]:
        """Find what is to be hidden, from left to right, with what is shown instead."""
        place = 0
        while (found := _STRING.search(text, place)) is not None:
            place = found.end()
            if "://" in found[1]:
                string = _unescaped(found[1])
                if (shown := hide_credentials(string)) != string:
                    yield found.start(), found.end(1) + 1, orjson.dumps(shown).decode()
            if found[2] is not None and self.is_secret(_unescaped(found[1])):
                start, place = place, _value_end(text, place)
                yield start, place, f'"{HIDDEN}"'


def _pattern(key: str) -> str:
    pattern = _squeezed(key.encode())
    if not pattern or _UNFIT.search(key):
        raise ValueError(f"{key!r} cannot be the name of a key")
    return pattern


def _squeezed(text: bytes) -> str:
    # A character a byte: text is searched faster than bytes are.
    return text.translate(LOWER, SEPARATORS).decode("latin-1")


def _unescaped(raw: str) -> str:
    return orjson.loads(f'"{raw}"') if "\\" in raw else raw


def _value_end(text: str, start: int) -> int:
    """Find where the JSON value that begins here ends."""
    plain = _PLAIN_VALUE.match(text, start)
    if plain is not None:
        return plain.end()
    depth = 0
    for token in _BRACKET.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth <= 0:
            return token.end()
    return len(text)
