"""Credentials in URLs, `scheme://user:password@host`: how they are found in text, and hidden.

One pattern for Python and PostgreSQL, so that a filter compares with what is shown.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, case, func

# From `://` to the last `@` before a slash, question mark or hash. Passwords that were not encoded
# may hold those: after a colon that no port follows, they do not end it. Both engines take the
# longest match, know the same spaces, and read no character for two beginnings.
PATTERN = (
    r"://[^ \t\n\r\f\v/?#:]*"
    r"(?::(?![0-9]{1,5}[/?#])[^ \t\n\r\f\v/?#]*(?:[/?#][^ \t\n\r\f\v:]*)?)?@"
)
REPLACEMENT = "://[redacted]@"

_FOUND = re.compile(PATTERN)


def hide_credentials(text: str) -> str:
    """Write the text without the credentials of URLs in it."""
    return _FOUND.sub(REPLACEMENT, text) if "://" in text else text


def without_credentials(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Say the same of a text column, in SQL."""
    hidden = func.regexp_replace(column, PATTERN, REPLACEMENT, "g")
    return case((func.strpos(column, "://") > 0, hidden), else_=column)
