"""Redaction of credentials in URLs, `scheme://user:password@host`, in text.

Python and PostgreSQL use the same pattern, so that filters compare with the redacted text.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, case, func

# From `://` to the last `@` before a slash, question mark or hash. Unencoded passwords may contain
# those characters: after a colon without a port they do not end the match. Both engines take the
# longest match, define the same whitespace, and scan each character for one match start only.
PATTERN = (
    r"://[^ \t\n\r\f\v/?#:]*"
    r"(?::(?![0-9]{1,5}[/?#])[^ \t\n\r\f\v/?#]*(?:[/?#][^ \t\n\r\f\v:]*)?)?@"
)
REPLACEMENT = "://[redacted]@"

_COMPILED = re.compile(PATTERN)


def hide_credentials(text: str) -> str:
    """Return the text with the credentials of its URLs redacted."""
    return _COMPILED.sub(REPLACEMENT, text) if "://" in text else text


def without_credentials(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the SQL expression that redacts a text column like `hide_credentials`."""
    hidden = func.regexp_replace(column, PATTERN, REPLACEMENT, "g")
    return case((func.strpos(column, "://") > 0, hidden), else_=column)
