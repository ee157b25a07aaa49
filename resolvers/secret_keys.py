"""Matching of JSON keys whose values are secret, by whole words."""

import re
from functools import lru_cache
from unicodedata import normalize

# With a star where words are often joined: `*token` matches `accesstoken`, but not `tokenizer`.
DEFAULT_KEYS = (
    "auth,authorization,bearer,pass,*pwd,*passwd,*password,*password_hash,*passphrase,*secret,"
    "*secret_key,*token,*api_key,*access_key,*private_key,*credential,*cookie,*connection_string"
)
# Ignored in names, as is case: `api_key` matches `API-Key` and `apikey`. These are single bytes,
# so that they can be removed from a whole JSON text before searching it.
_PUNCTUATION = rb" !#$%&'()*+,-./:;<=>?@[]^_`{|}~"
_LOWER = bytes(range(256)).lower()
# JSON escapes these characters, so that SecretKeys.may_be_in would miss them.
_INVALID = re.compile(r'["\\\x00-\x1f]')
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|\x7f+")
_SHORT_KEY = 100


class SecretKeys:
    """A set of secret keys: those that match `names`, except those that equal `exceptions`.

    Both are separated by commas. Raises ValueError for an invalid name.
    """

    def __init__(self, names: str, exceptions: str | None = None) -> None:
        excepted = exceptions.split(",") if exceptions else []
        self._names = [_Name(each, is_whole=False) for each in names.split(",")]
        self._exceptions = [_Name(each, is_whole=True) for each in excepted]
        # A JSON text with a secret key contains one of these, or is not ASCII.
        required = {name.required for name in self._names if name.is_ascii}
        self._required = [w for w in required if not any(o in w for o in required - {w})]
        self._is_ascii = all(name.is_ascii for name in self._names)
        self._has_short = lru_cache(maxsize=10_000)(self._has)

    def __contains__(self, key: str) -> bool:
        return self._has_short(key) if len(key) <= _SHORT_KEY else self._has(key)

    def may_be_in(self, encoded: bytes) -> bool:
        """Return whether a JSON text may have a secret key: a fast test with false positives."""
        if not self._is_ascii and not encoded.isascii():
            return True
        normalized = _without_punctuation(encoded)
        return any(word in normalized for word in self._required)

    def _has(self, key: str) -> bool:
        # The same test as in may_be_in, so that both agree.
        normalized = _without_punctuation(key.encode(errors="surrogatepass"))
        names = [each for each in self._names if each.required in normalized or not each.is_ascii]
        if not names:
            return False
        words = _words(key)
        return any(name.matches(words) for name in names) and not any(
            name.matches(words) for name in self._exceptions
        )


class _Name:
    """A pattern for keys, with `*` as a wildcard: it matches whole words of a key.

    The last word may have a plural s. If `is_whole`, the pattern must match the whole key exactly.
    """

    def __init__(self, name: str, *, is_whole: bool) -> None:
        pieces = [_normalized(piece) for piece in name.split("*")]
        if pieces == [""] or _INVALID.search(name):
            raise ValueError(f"{name!r} is not a valid name of a key")
        self.required = max(pieces, key=len)
        self.is_ascii = self.required.isascii()
        first, last = ("^-", "-$") if is_whole else ("-", "s?-")
        patterns = ["-?".join(map(re.escape, piece)) for piece in pieces]
        patterns[0] = patterns[0] and first + patterns[0]
        patterns[-1] = patterns[-1] and patterns[-1] + last
        self._patterns = [re.compile(pattern) for pattern in patterns if pattern]

    def matches(self, words: str) -> bool:
        """Return whether the name matches a key, given as the result of `_words`."""
        position = 0
        for pattern in self._patterns:
            match = pattern.search(words, position)
            if match is None:
                return False
            position = match.end()
        return True


def _without_punctuation(text: bytes) -> str:
    # One character per byte: searching str is faster than searching bytes.
    return text.translate(_LOWER, _PUNCTUATION).decode("latin-1")


def _normalized(piece: str) -> str:
    return normalize("NFC", piece).lower().translate(dict.fromkeys(_PUNCTUATION))


def _words(key: str) -> str:
    """Return the words of a key in lower case, with hyphens between and around them."""
    words = _WORD.findall(key) if key.isascii() else _non_ascii_words(key)
    return f"-{'-'.join(words).lower()}-"


def _non_ascii_words(key: str) -> list[str]:
    key = normalize("NFC", key)
    classes = "".join(map(_character_class, key))
    return [key[word.start() : word.end()] for word in _WORD.finditer(classes)]


def _character_class(character: str) -> str:
    """Return an ASCII character that `_WORD` treats as this one."""
    if character.isascii():
        return character
    if character.isupper():
        return "A"
    if character.islower():
        return "a"
    return "0" if character.isdecimal() else "\x7f"
