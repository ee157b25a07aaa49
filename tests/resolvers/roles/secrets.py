"""A job that holds secrets wherever a job can hold some, and the JSON that hides them."""

from typing import Any
from uuid import UUID

from tests.support.ledger import events, job
from tests.support.service import ORG

SECRET = "hunter2"
URL = f"postgres://app:{SECRET}@db.example/ledger"
SHOWN_URL = "postgres://[redacted]@db.example/ledger"
DOCUMENT: dict[str, Any] = {
    "to": "me@example.com",
    "password": SECRET,
    "deep": [{"x": {"API-Key": {"id": 1, "value": [SECRET, "]}"]}, "size": 12.5}}],
    "accessToken": [SECRET, [SECRET]],
    "Set-Cookie": None,
    "max_tokens": 4096,
    "cookies_enabled": True,
    "tokenizer": "cl100k",
    "log": f"cannot reach {URL}\n, nor {URL}",
    'say "Authorization"': f"Bearer {SECRET}",
}
SHOWN_DOCUMENT = {
    "to": "me@example.com",
    "password": "[redacted]",
    "deep": [{"x": {"API-Key": "[redacted]", "size": 12.5}}],
    "accessToken": "[redacted]",
    "Set-Cookie": None,
    "max_tokens": 4096,
    "cookies_enabled": True,
    "tokenizer": "cl100k",
    "log": f"cannot reach {SHOWN_URL}\n, nor {SHOWN_URL}",
    'say "Authorization"': "[redacted]",
}
MESSAGE = f"connection to {URL} refused"
SHOWN_MESSAGE = f"connection to {SHOWN_URL} refused"


def secretive_job(number: int = 0, **values: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make a failed job and its events, all of them with secrets."""
    row = job(
        number,
        org_id=UUID(ORG),
        **{
            "status": "failed",
            "attempt": 1,
            "payload": DOCUMENT,
            "result": [DOCUMENT, URL],
            "last_error_code": "E",
            "last_error_message": MESSAGE,
            **values,
        },
    )
    detail = DOCUMENT | {"error_code": {"secret": SECRET}, "error_message": MESSAGE}
    return row, events(row, "queued", "running", "failed", detail=detail)
