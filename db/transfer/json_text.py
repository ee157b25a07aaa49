"""JSON as the ledger keeps it: numbers stay the text they came as, no digit is lost to a float.

What jsonb or a reader of the API could not hold is refused here, in words for the file's author.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from db.limits import MAX_JSON_BYTES, MAX_JSON_DECIMALS, MAX_JSON_NUMBER, MIN_JSON_NUMBER

# A NUL or a surrogate as an escape; the halves of a pair look the same, hence `_check_text`.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class RecordError(Exception):
    """A record cannot be imported; the message says why, naming the field."""


def load(line: bytes) -> Any:
    """Parse one line of JSON; fractions come as `orjson.Fragment`, their digits untouched.

    Raises RecordError unless it is well-formed and its texts can be stored. Integers past 64 bits
    still pass here: `dump`, which knows their field, refuses them.
    """
    try:
        value = _decoder.decode(line.decode())
        if _SUSPECT_ESCAPE.search(line):
            _check_text(value, "")
    except UnicodeDecodeError:
        raise RecordError("the line is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise RecordError(f"not well-formed JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise RecordError("the JSON is nested too deeply") from None
    except ValueError:  # int() of thousands of digits
        raise RecordError("the JSON has a number past 64 bits") from None
    return value


def dump(value: object, field: str) -> str | None:
    """Write the value of a JSON field for jsonb; None (JSON's null) stays None.

    Raises RecordError, naming `field`, where it is too large, too deep or has too long an integer.
    """
    if value is None:
        return None
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        reason = "nested too deeply" if "Recursion" in str(error) else "has a number past 64 bits"
        raise RecordError(f"{field}: {reason}") from None
    if len(text) > MAX_JSON_BYTES:
        raise RecordError(f"{field}: is larger than {MAX_JSON_BYTES // 1024} KiB")
    return text.decode()


def _fraction(text: str) -> orjson.Fragment:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise RecordError(f"the JSON has a number past 64 bits: {text[:40]}") from None
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if not MIN_JSON_NUMBER <= number <= MAX_JSON_NUMBER or exponent > MAX_JSON_DECIMALS:
        raise RecordError(f"the JSON has a number past 64 bits: {text[:40]}")
    if -exponent > MAX_JSON_DECIMALS:
        raise RecordError(f"the JSON has a number with too many decimals: {text[:40]}")
    # As jsonb writes it: so the size limit measures what an export will give.
    return orjson.Fragment(format(number, "f"))


def _constant(text: str) -> object:
    raise RecordError(f"not well-formed JSON: {text} is no JSON number")


_decoder = json.JSONDecoder(parse_float=_fraction, parse_constant=_constant)


def _check_text(value: object, path: str) -> None:
    if isinstance(value, str):
        if found := _UNSTORABLE.search(value):
            what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
            raise RecordError(f"{path or 'the JSON'}: has {what}, which cannot be stored")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, path)
            _check_text(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_text(inner, f"{path}[{index}]")
