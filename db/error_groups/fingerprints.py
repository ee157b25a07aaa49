"""The fingerprint of an error: its code and its message without what differs from case to case.

Errors with the same fingerprint are of one group. Numbers, ids, addresses, times, durations and
quoted text are replaced by placeholders. Numbers that tell what kind of error it is are kept: HTTP
status codes, exit codes, signals, and codes of databases and systems.
"""

import re
from dataclasses import dataclass
from uuid import UUID, uuid5

from db.url_credentials import hide_credentials

# The same when rules change, so that groups that a change does not touch keep their ids.
_RULES = UUID("3b1f7a52-8f0c-4c1e-9d53-7a4be1c0f5d1")
# Characters of a message that are looked at, and that are kept of it.
MAX_READ, MAX_MESSAGE = 4_000, 500

_HEX = "[0-9a-fA-F]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_DATE = r"\d{4}[-/]\d{2}[-/]\d{2}"
_CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?"
_OFFSET = r"[+-]\d{2}(?::?\d{2})?\b"
_ZONE = rf"(?:(?:UTC|GMT|Z)\b|{_OFFSET})"
_DAY = r"(?:(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? )?"
_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    "|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
# As HTTP and access logs write them: the day, its month, the year. As C, Ruby and syslog do: the
# month, its day, and the time or the year.
_NAMED_DATES = (
    rf"{_DAY}\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{4}}(?:[ :]{_CLOCK}(?: ?{_ZONE})?)?"
    rf"|{_DAY}{_MONTH} {{1,2}}\d{{1,2}}"
    rf"(?:,? \d{{4}}(?: {_CLOCK})?| {_CLOCK}(?: {_ZONE})?(?: \d{{4}})?)"
)
# As Go writes them: 1m30s, 250ms. And in words.
_DURATION = (
    r"(?:(?:(?:\d+h)?\d+m)?\d+(?:\.\d+)?(?:ns|us|\u00b5s|\u03bcs|ms|s)"
    r"|\d+(?:\.\d+)? (?:(?:milli|micro|nano)?second|minute|hour|day)s?)"
)
_SIZE = r"\d+(?:[.,]\d+)* ?[kKMGTPE]i?[bB]"
# What Kubernetes makes random names of.
_POD = "[bcdfghjklmnpqrstvwxz2456789]"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_IPV6 = (
    rf"(?:{_HEX}{{1,4}}:){{3,7}}{_HEX}{{1,4}}|(?:{_HEX}{{1,4}}:){{0,6}}:(?::?{_HEX}{{1,4}}){{1,6}}"
)
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}|localhost"
# What servers write after a status code of 400 or more.
_REASON = (
    "(?:client|server) error|bad request|unauthorized|payment required|forbidden|not found"
    "|method not allowed|not acceptable|proxy authentication required|request time-?out|conflict"
    "|gone|length required|precondition (?:failed|required)|(?:request entity|payload|content) too"
    " large|(?:request-)?uri too long|unsupported media type|range not satisfiable"
    "|expectation failed|misdirected request|unprocessable|locked|failed dependency|too early"
    "|upgrade required|too many requests|unavailable for legal reasons|internal server error"
    "|not implemented|bad gateway|service (?:temporarily )?unavailable|gateway time-?out"
    "|insufficient storage|loop detected"
)
# What Oracle's programs and MySQL write before the number of an error.
_WITH_CODES = "BEA|CRS|DRG|EXP|FRM|IMP|KUP|LPX|LRM|MY|ORA|OSB|PLS|PRV[FG]|REP|RMAN|SP2|TNS|UD[EI]"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@+~%=-]*"

# What each match is replaced by; None: it is kept. At each place the first pattern counts. What a
# pattern matches as `kept…` stands before its placeholder.
_PATTERNS: tuple[tuple[str, str | None], ...] = (
    # Values whose names say that they are secret.
    (
        r"(?P<kept_name>(?i:\b(?:password|passwd|pwd|secret|token|api[_-]?key|authorization)\b"
        r"[\"']?[ ]?[=:][ ]?(?:(?:bearer|basic) )?))[^\s&]+",
        "<text>",
    ),
    (r"(?P<kept_scheme>\bBearer )\S+", "<text>"),
    # A JSON Web Token.
    (r"(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?", "<text>"),
    # A quote between two letters is an apostrophe.
    (r"(?<![A-Za-z0-9])'(?:[^'\n\\]|\\.|(?<=[A-Za-z])'(?=[A-Za-z]))*'(?![A-Za-z0-9])", "<text>"),
    (r'"(?:[^"\n\\]|\\.)*"', "<text>"),
    # Ruby before 3.4 opens with a grave accent and closes with an apostrophe.
    (r"`[^`'\n]*[`']", "<text>"),
    ("[\u201c\u00ab\u2018][^\u201d\u00bb\u2019\n]*[\u201d\u00bb\u2019]", "<text>"),
    (r"[A-Za-z][A-Za-z0-9+.-]*://(?:\[[^\]\s]*\])?[^\s\"'<>)\]}]*", "<url>"),
    (r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}", "<email>"),
    (rf"\b{_UUID}\b", "<id>"),
    (rf"\b{_DATE}(?:[T ]{_CLOCK}(?: ?{_ZONE})?)?(?!\w)", "<time>"),
    (rf"\b(?:{_NAMED_DATES})(?!\w)", "<time>"),
    (rf"\b(?:{_CLOCK})(?![:\w])", "<time>"),
    (rf"(?<![\w.]){_DURATION}\b", "<duration>"),
    (rf"(?<![\w.]){_SIZE}\b", "<size>"),
    # HTTP status codes, exit codes, SQLSTATEs and the like, with what introduces or follows them.
    (r"\bHTTP(?:/\d(?:\.\d)?)?[ :/-]*[1-5]\d\d\b", None),
    (rf"\b[45]\d\d(?=[])]?[ :,-]{{1,3}}(?i:{_REASON})\b)", None),
    (
        r"(?i:\b(?:status(?:[ _]?code)?|response(?: code)?|exit(?:ed)?(?: with)?"
        r"(?: (?:code|status|value))?|return(?:ed)? code|(?:error )?code|errno|signal"
        r"|sql(?:state|code))(?: is| was)?[ :=#(\[]*)-?[0-9][0-9A-Z]{0,4}\b",
        None,
    ),
    # ORA-00942, E11000, TS2304, WinError 10061. An invoice INV-10023 is none.
    (
        rf"\b(?:(?:{_WITH_CODES})-\d{{3,6}}|[A-Z]{{1,3}}\d{{3,6}}|WinError \d+|Errno \d+)\b",
        None,
    ),
    (rf"\[?(?<![\w.:])(?:{_IPV6})(?![\w:])\]?(?::\d+)?", "<address>"),
    (rf"\b{_IPV4}(?:[:/]\d+)?\b", "<address>"),
    (rf"\b{_HEX}{{2}}(?:-{_HEX}{{2}}){{5}}\b", "<address>"),
    (rf"(?<![\w.@/-])(?:{_HOST}):\d{{1,5}}\b", "<address>"),
    (
        rf"(?P<kept_lookup>\b(?:ENOTFOUND|EAI_AGAIN|lookup|(?i:host(?:name)?)) )(?:{_HOST})",
        "<address>",
    ),
    (r"\b0[xX][0-9a-fA-F]+\b", "<hex>"),
    # A path: at least two names, or one after a slash or a drive.
    (rf"(?<![\w<>])(?:[A-Za-z]:)?(?:[\\/]{_NAME})+[\\/]?", "<path>"),
    # Names of pods, of one replica set or of one run of a schedule.
    (
        r"(?P<kept_pod>(?<![\w-])[a-z][a-z0-9-]{0,60}?-)"
        rf"(?:{_POD}{{6,10}}|\d{{8}})-{_POD}{{5}}\b",
        "<id>",
    ),
    # Hexadecimal digits, as of a short hash, and other ids: letters and digits mixed.
    (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", "<id>"),
    (
        r"\b(?!\d+e\d+\b)(?=[a-f]*\d+[a-f]+\d|[0-9]*[a-f]+\d+[a-f])[0-9a-f]{4,6}\b",
        "<id>",
    ),
    (r"\b[A-Z]-\d+\b", "<id>"),
    (r"(?P<kept_version>\bv)\d+(?:\.\d+)+\b", "<number>"),
    (r"\b(?=\w*\d\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9]{12,}\b", "<id>"),
    (
        r"(?P<kept_prefix>\b[A-Za-z]{2,}(?:[_-][A-Za-z]{2,})?[_-])"
        r"(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{6,}\b",
        "<id>",
    ),
    (r"(?<![A-Za-z])[-+]?\d+(?:[.,_]\d+)*(?:[eE][-+]?\d+)?", "<number>"),
    # Not the digit of a short name: S3, md5.
    (r"(?<=[A-Za-z]{4})\d+|(?<=[A-Za-z])\d{2,}", "<number>"),
)
_ANY = re.compile("|".join(f"(?P<p{n}>{pattern})" for n, (pattern, _) in enumerate(_PATTERNS)))
_PLACEHOLDERS = {f"p{n}": placeholder for n, (_, placeholder) in enumerate(_PATTERNS)}
_KEPT = [name for name in _ANY.groupindex if name.startswith("kept")]
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The group of an error. `message`: what its messages have in common, with placeholders."""

    id: UUID
    code: str | None
    message: str


def fingerprint_of(code: str | None, message: str | None) -> Fingerprint | None:
    """Return the fingerprint of an error; None if there is neither a code nor a message.

    Credentials in URLs, and what is called a password or a token, are no part of it: else a guess
    could be confirmed by its id.
    """
    if code is None and message is None:
        return None
    common = common_message(message or "")
    return Fingerprint(uuid5(_RULES, f"{code or ''}\0{common}"), code, common)


def common_message(message: str) -> str:
    """Return what a message has in common with others of its kind: of its telling line."""
    line = hide_credentials(_telling_line(message[:MAX_READ]))
    return " ".join(_ANY.sub(_replacement, line).split())[:MAX_MESSAGE]


def _telling_line(message: str) -> str:
    """Return the last line of a Python traceback, else the first line that is not empty."""
    lines = [line for line in message.splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith(_TRACEBACK) else lines[0]


def _replacement(match: re.Match[str]) -> str:
    placeholder = _PLACEHOLDERS[match.lastgroup or ""]
    if placeholder is None:
        return match[0]
    return "".join(match[name] or "" for name in _KEPT) + placeholder
