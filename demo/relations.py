"""How the demo's jobs belong together: their parents, batches and tags."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

# The types of children, and of their parents.
PARENTS = {"webhook.deliver": "invoice.sync", "image.resize": "video.transcode"}
# The types that come in batches, and the sizes of these.
BATCH_SIZES = {"report.render": 20, "search.reindex": 5}


def with_relations(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add relations to an organisation's records, which come oldest first."""
    newest: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for record in records:
        type_ = record["type"]
        yield record | {
            "parent_id": newest.get(PARENTS.get(type_, "")),
            "batch": batch_of(type_, counts[type_]),
            "tags": tags_of(record["payload"]),
        }
        newest[type_] = record["id"]
        counts[type_] += 1


def batch_of(type_: str, number: int) -> str | None:
    """Return the batch of the job with this number of its type."""
    size = BATCH_SIZES.get(type_)
    return None if size is None else f"{type_} {number // size + 1}"


def tags_of(payload: dict[str, Any]) -> list[str]:
    """Return the tags of a job by its payload."""
    customer = payload.get("customer", payload)
    tagged = {
        "plan": customer.get("plan"),
        "locale": payload.get("variables", {}).get("locale"),
        "codec": payload.get("profile", {}).get("codec"),
    }
    return sorted(f"{name}:{value}" for name, value in tagged.items() if value is not None)
