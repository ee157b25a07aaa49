"""The names of keys whose values are secret, and how they are found in keys: word by word."""

import re
from functools import lru_cache
from unicodedata import normalize

# Stars where words are often run together: `*token` is in `accesstoken`, and not in `tokenizer`.
DEFAULT_KEYS = (
    "auth,authorization,bearer,pass,*pwd,*passwd,*password,*password_hash,*passphrase,*secret,"
    "*secret_key,*token,*api_key,*access_key,*private_key,*credential,*cookie,*connection_string"
)
# What does not count in a name, besides the case: `api_key` is `API-Key` and `apikey`. It is
# dropped byte by byte, so that a name is found in a text that was squeezed whole.
_PUNCTUATION = rb" !#$%&'()*+,-./:;<=>?@[]^_`{|}~"
_LOWER = bytes(range(256)).lower()
# As these are written in JSON with an escape, the quick look would miss them.
_UNFIT = re.compile(r'["\\\x00-\x1f]')
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|\x7f+")
_SHORT_KEY = 100


class SecretKeys:
    """The names of a setting, divided by commas, but for the keys that `exceptions` names.

    Raises ValueError for a name that cannot be used.
    """

    def __init__(self, names: str, exceptions: str | None = None) -> None:
        excepted = exceptions.split(",") if exceptions else []
        self._names = [_Name(each, is_whole=False) for each in names.split(",")]
        self._exceptions = [_Name(each, is_whole=True) for each in excepted]
        # One of them is in the text of any JSON that has such a key, or else that is not ASCII.
        words = {name.needs for name in self._names if name.is_ascii}
        self._words = [w for w in words if not any(o in w for o in words - {w})]
        self._is_ascii = all(name.is_ascii for name in self._names)
        self._has_short = lru_cache(maxsize=10_000)(self._has)

    def __contains__(self, key: str) -> bool:
        return self._has_short(key) if len(key) <= _SHORT_KEY else self._has(key)

    def may_be_in(self, written: bytes) -> bool:
        """Say, after a quick look, whether a JSON text may have such a key."""
        if not self._is_ascii and not written.isascii():
            return True
        squeezed = _without_punctuation(written)
        return any(word in squeezed for word in self._words)

    def _has(self, key: str) -> bool:
        # What the quick look passes over must not be found here.
        squeezed = _without_punctuation(key.encode(errors="surrogatepass"))
        names = [each for each in self._names if each.needs in squeezed or not each.is_ascii]
        if not names:
            return False
        divided = _divided(key)
        return any(name.is_in(divided) for name in names) and not any(
            name.is_in(divided) for name in self._exceptions
        )


class _Name:
    """A name, in which `*` stands for anything: found where it makes up whole words of a key.

    The last word may be in the plural. One that `is_whole` is the whole key, as it stands.
    """

    def __init__(self, name: str, *, is_whole: bool) -> None:
        pieces = [_squeezed(piece) for piece in name.split("*")]
        if pieces == [""] or _UNFIT.search(name):
            raise ValueError(f"{name!r} cannot be the name of a key")
        self.needs = max(pieces, key=len)
        self.is_ascii = self.needs.isascii()
        first, last = ("^-", "-$") if is_whole else ("-", "s?-")
        parts = ["-?".join(map(re.escape, piece)) for piece in pieces]
        parts[0] = parts[0] and first + parts[0]
        parts[-1] = parts[-1] and parts[-1] + last
        self._parts = [re.compile(part) for part in parts if part]

    def is_in(self, divided: str) -> bool:
        """Say whether the name is in a key that was divided."""
        place = 0
        for part in self._parts:
            found = part.search(divided, place)
            if found is None:
                return False
            place = found.end()
        return True


def _without_punctuation(text: bytes) -> str:
    # A character a byte: text is searched faster than bytes are.
    return text.translate(_LOWER, _PUNCTUATION).decode("latin-1")


def _squeezed(piece: str) -> str:
    return normalize("NFC", piece).lower().translate(dict.fromkeys(_PUNCTUATION))


def _divided(key: str) -> str:
    """Write a key's words in lower case, with a hyphen around each."""
    words = _WORD.findall(key) if key.isascii() else _words_beyond_ascii(key)
    return f"-{'-'.join(words).lower()}-"


def _words_beyond_ascii(key: str) -> list[str]:
    key = normalize("NFC", key)
    kinds = "".join(map(_kind, key))
    return [key[run.start() : run.end()] for run in _WORD.finditer(kinds)]


def _kind(character: str) -> str:
    """Get an ASCII character that divides words as this one does."""
    if character.isascii():
        return character
    if character.isupper():
        return "A"
    if character.islower():
        return "a"
    return "0" if character.isdecimal() else "\x7f"
