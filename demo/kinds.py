"""The kinds of jobs in the demo, with their payloads, durations and errors."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from db.job_defaults import DEFAULT_BACKOFF_POLICY, DEFAULT_MAX_ATTEMPTS
from db.statuses import BackoffPolicy

# Error messages by code; {n} is replaced by a random number. Final errors are not retried.
ERRORS = {
    "SMTP_TIMEOUT": "Timed out after 30.0 s waiting for mx{n}.example.com:587 to answer RCPT TO",
    "MAILBOX_UNKNOWN": "550 5.1.1 recipient rejected: user unknown (id {n})",
    "RATE_LIMITED": "429 Too Many Requests: {n} calls in a minute, the limit is 100; retry later",
    "HTTP_502": "502 Bad Gateway from https://hooks.example.net after {n} ms",
    "HTTP_410": "410 Gone: the endpoint was removed (subscription {n})",
    "TLS_HANDSHAKE": "TLS handshake failed: certificate has expired (depth 0, request {n})",
    "OOM_KILLED": "Killed by the kernel: out of memory (anon-rss 3{n} MiB, limit 3072 MiB)",
    "CORRUPT_INPUT": "Cannot decode the source: invalid marker at offset {n}44",
    "CODEC_CRASH": "ffmpeg exited with status 139\n  frame={n} fps=24 q=28.0\n  Segmentation fault",
    "DB_DEADLOCK": "deadlock detected: process {n} waits for ShareLock on transaction 88{n}",
    "QUERY_TIMEOUT": "canceling statement due to statement timeout after 300 s (query {n})",
    "VALIDATION": "line 1: tax code 'X{n}' is unknown to the ledger",
    "UPSTREAM_UNAVAILABLE": "ERP answered 503 Service Unavailable: maintenance window (OPS-{n})",
}
FINAL_ERRORS = frozenset({"MAILBOX_UNKNOWN", "HTTP_410", "CORRUPT_INPUT", "VALIDATION"})


def _customer(rng: Random) -> dict[str, Any]:
    return {"id": f"cus_{rng.randrange(1000, 1400)}", "plan": rng.choice(("free", "team", "pro"))}


def _email(rng: Random) -> dict[str, Any]:
    template = rng.choice(("welcome", "password_reset", "receipt", "weekly_digest"))
    user = rng.randrange(1, 900)
    variables = {"user_id": user, "locale": rng.choice(("en", "de", "fr", "ja"))}
    return {"to": f"user{user}@example.com", "template": template, "variables": variables}


def _webhook(rng: Random) -> dict[str, Any]:
    event = {"name": rng.choice(("order.paid", "order.shipped", "user.deleted")), "version": 2}
    number = rng.randrange(1, 40)
    return {
        "url": f"https://hooks.example.net/{number}",
        # Hidden from all but administrators.
        "signing_secret": f"whsec_{number * 7_919:08x}",
        "event": event,
        "customer": _customer(rng),
    }


def _image(rng: Random) -> dict[str, Any]:
    sizes = [{"width": width, "height": width * 3 // 4} for width in (160, 640, 1280)]
    source = f"s3://uploads/{rng.getrandbits(40):010x}.jpg"
    return {"source": source, "sizes": sizes[: rng.randrange(1, 4)], "format": "webp"}


def _video(rng: Random) -> dict[str, Any]:
    profile = {"codec": rng.choice(("h264", "av1")), "height": rng.choice((720, 1080, 2160))}
    source = f"s3://uploads/{rng.getrandbits(40):010x}.mp4"
    return {"source": source, "profile": profile, "duration_seconds": rng.randrange(20, 5400)}


def _report(rng: Random) -> dict[str, Any]:
    period = {"from": f"2025-{rng.randrange(1, 7):02}-01", "months": rng.choice((1, 3, 12))}
    name = rng.choice(("revenue", "churn", "usage", "audit"))
    return {"report": name, "period": period, "format": "pdf", "customer": _customer(rng)}


def _invoice(rng: Random) -> dict[str, Any]:
    amount = {"value": rng.randrange(900, 250_000) / 100, "currency": rng.choice(("EUR", "USD"))}
    number = f"INV-{rng.randrange(10_000, 99_999)}"
    return {"invoice": number, "amount": amount, "customer": _customer(rng)}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of job, with its mean wait and median run. `keyed`: the share of jobs with a key."""

    type: str
    queue: str
    weight: int
    wait_seconds: float
    run_seconds: float
    failure_rate: float
    errors: tuple[str, ...]
    payload: Callable[[Random], dict[str, Any]]
    result: str
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    backoff_policy: BackoffPolicy = DEFAULT_BACKOFF_POLICY
    priorities: tuple[int, ...] = (0,)
    keyed: float = 0.0
    has_progress: bool = False


# fmt: off
KINDS = (
    Kind("email.send", "mail", 34, 4, 1.2, 0.09,
          ("SMTP_TIMEOUT", "RATE_LIMITED", "MAILBOX_UNKNOWN"), _email,
          "message_bytes", priorities=(0, 0, 5), keyed=0.3),
    Kind("webhook.deliver", "default", 24, 3, 0.6, 0.16, ("HTTP_502", "TLS_HANDSHAKE", "HTTP_410"),
          _webhook, "response_bytes", max_attempts=6),
    Kind("image.resize", "media", 18, 10, 5, 0.05, ("CORRUPT_INPUT", "OOM_KILLED"),
          _image, "output_bytes", 3, BackoffPolicy.FIXED),
    Kind("video.transcode", "media", 7, 90, 1_100, 0.14, ("CODEC_CRASH", "OOM_KILLED"),
          _video, "frames", 3, BackoffPolicy.FIXED, has_progress=True),
    Kind("report.render", "default", 8, 20, 75, 0.12, ("QUERY_TIMEOUT", "OOM_KILLED"),
          _report, "rows", 4, priorities=(0, 10), has_progress=True),
    Kind("invoice.sync", "billing", 8, 8, 6, 0.2,
          ("UPSTREAM_UNAVAILABLE", "DB_DEADLOCK", "VALIDATION"), _invoice,
          "erp_id", priorities=(5, 10), keyed=1.0),
    Kind("search.reindex", "default", 1, 30, 2_400, 0.15, ("DB_DEADLOCK", "OOM_KILLED"),
          _customer, "documents", 1, BackoffPolicy.NONE, (-10,), has_progress=True),
)
# fmt: on
