"""Limits that resolvers apply to one request."""

from dataclasses import dataclass, field

from db.backoff import Backoff
from db.limits import MAX_JSON_BYTES


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Page sizes, the size of a written JSON value and of the response, and the retry backoff.

    `max_cost`: that of an operation, which schema.limits checks, to be told.
    """

    page_size_default: int = 50
    page_size_max: int = 200
    max_json_bytes: int = MAX_JSON_BYTES
    max_response_bytes: int = 16_777_216
    max_cost: int = 20_000
    backoff: Backoff = field(default_factory=Backoff)
