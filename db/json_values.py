"""JSON parsing and writing that keeps every digit of numbers.

orjson is used unless a number may not fit a float; such numbers are parsed as `Digits`.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Never, Self

import orjson

from db.limits import MAX_JSON_DECIMALS, MAX_JSON_NUMBER, MIN_JSON_NUMBER

PAST_64_BITS = "past 64 bits that no double holds as it is written"
MANY_DECIMALS = f"with more than {MAX_JSON_DECIMALS:,} decimals"

# A surrogate, whether lone or part of a pair.
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# Numbers that a float may not represent exactly: 16 digits or more, a trailing zero, an exponent.
# Each pattern starts with a literal byte, so that all searches take less time than parsing.
_SAME_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_MANY_DIGITS = b"0" * 16
_SUSPECTS = tuple(
    re.compile(start + rb"[0-9]+" + end + rb"(?:[,\s\]}]|\Z)")
    for start, end in ((rb"\.", b"0"), (rb"e(?<=[0-9]e)[-+]?", b""), (rb"E(?<=[0-9]E)[-+]?", b""))
)
_EXPONENT = re.compile(rb"e(?<=[0-9]e)[-+]?[0-9]")
_STRING_OR_EXPONENT = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(-?[0-9.]+e[-+]?[0-9]+)')
_MAX_DOUBLE_BITS, _MAX_DOUBLE_EXPONENT = 1024, 308
_SURE_LENGTH = 18
_LONGEST_INT = len(str(MIN_JSON_NUMBER))


class Digits(float):
    """A number with its original text; its float value is the nearest, or infinity."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


def loads(text: bytes | str) -> Any:
    """Parse JSON strictly, except that lone surrogates are kept.

    Numbers are not checked with number_fault. Raises ValueError or RecursionError.
    """
    raw = text.encode() if isinstance(text, str) else text
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # orjson also rejects lone surrogates, and numbers beyond the range of doubles.
        if not (SURROGATE.search(raw) or _is_suspect(raw)):
            raise
    else:
        if not _is_suspect(raw):
            return value
    return decode(raw.decode())


def decode(text: str) -> Any:
    """Parse JSON as `loads` does, without trying orjson first."""
    return _decoder.decode(text)


def dumps(value: Any, option: int | None = None) -> bytes:
    """Serialize to compact JSON. Raises TypeError, with the fault of a number as its cause."""
    try:
        return orjson.dumps(value, _write, option)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        return orjson.dumps(_with_digits(value), _write, option)


def canonical(value: Any) -> bytes:
    """Serialize so that equal values have equal texts, before and after being stored as jsonb.

    The order of keys makes no difference, nor does how a number's exponent is written.
    """
    text = dumps(value, orjson.OPT_SORT_KEYS)
    if not _EXPONENT.search(text):
        return text
    return _STRING_OR_EXPONENT.sub(
        lambda match: _written(Decimal(match[1].decode())).encode() if match[1] else match[0], text
    )


def number_fault(number: float | Decimal) -> str | None:
    """Return why the number is not accepted, as a phrase after 'a number'; None if it is."""
    if isinstance(number, Digits):
        return digits_fault(number.text)
    if isinstance(number, Decimal):
        return _decimal_fault(number)
    if not isinstance(number, int):
        return None if isfinite(number) else PAST_64_BITS
    if MIN_JSON_NUMBER <= number <= MAX_JSON_NUMBER:
        return None
    is_long = number.bit_length() > _MAX_DOUBLE_BITS
    return PAST_64_BITS if is_long else _decimal_fault(Decimal(number))


def digits_fault(text: str) -> str | None:
    """Return the same for a number in its text form."""
    if _is_plain(text):
        return None
    try:
        return _decimal_fault(Decimal(text))
    except InvalidOperation:  # an exponent of twenty digits
        return PAST_64_BITS


def stored_bytes(text: bytes, enough: int) -> int:
    """Count the bytes of compact JSON with its exponents expanded as jsonb does.

    Stops counting past `enough`. The spaces that jsonb adds are not counted.
    """
    size = len(text)
    for match in _STRING_OR_EXPONENT.finditer(text) if _EXPONENT.search(text) else ():
        if size > enough:
            break
        if match[1]:
            size += len(_written(Decimal(match[1].decode()))) - len(match[1])
    return size


def _is_suspect(text: bytes) -> bool:
    return _MANY_DIGITS in text.translate(_SAME_DIGIT, b".") or any(
        suspect.search(text) for suspect in _SUSPECTS
    )


def _decimal_fault(number: Decimal) -> str | None:
    if not number.is_finite():
        return PAST_64_BITS
    if not MIN_JSON_NUMBER <= number <= MAX_JSON_NUMBER and not _is_double(number):
        return PAST_64_BITS
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return MANY_DECIMALS if abs(exponent) > MAX_JSON_DECIMALS else None


def _is_double(number: Decimal) -> bool:
    """Return whether the number is the shortest text of a double."""
    fits = number.adjusted() <= _MAX_DOUBLE_EXPONENT
    return fits and Decimal(repr(float(number))) == number


def _write(value: object) -> orjson.Fragment:
    if isinstance(value, Digits) and _is_plain(value.text):
        return orjson.Fragment(value.text)
    if isinstance(value, Digits | Decimal):
        if (fault := number_fault(value)) is not None:
            raise ValueError(fault)
        digits = value.text if isinstance(value, Digits) else value
        return orjson.Fragment(_written(Decimal(digits)))
    raise TypeError


def _is_plain(text: str) -> bool:
    """Return whether the number is surely within all limits and written as jsonb writes it."""
    return len(text) <= _SURE_LENGTH and "e" not in text and "E" not in text


def _written(number: Decimal) -> str:
    """Write a number as jsonb does, with its exponent expanded."""
    return format(number, "f")


def _with_digits(value: Any) -> Any:
    """Copy a value, with integers that are too long for orjson as Digits."""
    if isinstance(value, dict):
        return {key: _with_digits(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_digits(item) for item in value]
    is_long = type(value) is int and not MIN_JSON_NUMBER <= value <= MAX_JSON_NUMBER
    return Digits(str(value)) if is_long else value


def _float(text: str) -> float:
    number = float(text)
    return number if repr(number) == text and "e" not in text else Digits(text)


def _int(text: str) -> float:
    # int() takes quadratic time for long texts.
    if len(text) > _LONGEST_INT:
        return Digits(text)
    number = int(text)
    return number if MIN_JSON_NUMBER <= number <= MAX_JSON_NUMBER else Digits(text)


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is not a JSON number")


_decoder = json.JSONDecoder(parse_float=_float, parse_int=_int, parse_constant=_no_number)
