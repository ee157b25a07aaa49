"""Two organisations' jobs: what is in the other's carries a mark that nothing else has."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from db.queries.keyset import EVENTS_NEWEST_FIRST, EVENTS_OF_JOB, JOB_ORDERS
from resolvers.cursors import encode
from tests.support.ledger import EPOCH, events, job
from tests.support.service import ORG, OTHER_ORG

MARK = "theirs"
UNKNOWN = str(UUID(int=0xABC << 64))
STEPS = {
    "failed": ["queued", *["running", "failed"] * 4],
    "running": ["queued", "running"],
    "succeeded": ["queued", "running", "succeeded"],
    "queued": ["queued"],
}


def _parent(org: str, number: int) -> UUID:
    other = ORG if org == OTHER_ORG else OTHER_ORG
    return UUID(int=(UUID(org if number else other).int << 32) + number // 2)


OF_SOURCE = 4


def source_of(org: str) -> UUID:
    """Return the id of the organisation's source."""
    return UUID(int=(UUID(org).int << 32) + 1_000)


def ledger(org: str, count: int, mark: str) -> tuple[list[Any], list[Any]]:
    """Make jobs with all columns set, and their events; keys are the same in each organisation."""
    rows, steps = [], []
    for n in range(count):
        status = list(STEPS)[n % len(STEPS)]
        row = job(
            n,
            org_id=UUID(org),
            id=UUID(int=(UUID(org).int << 32) + n),
            status=status,
            type=f"{mark}.type" if n % 2 else "shared",
            queue=mark,
            attempt=n % 4,
            scheduled_at=EPOCH,
            requested_by=mark,
            worker=mark,
            progress_fraction=0.5,
            progress_step=f"{mark} at x://{mark}:secret@h",
            progress_at=EPOCH,
            idempotency_key=f"key{n}",
            payload={"mark": mark, "n": n, "password": f"secret of {mark}"},
            result=[mark],
            last_error_code=f"{mark}_code",
            last_error_message=f"{mark} at x://{mark}:secret@h",
            batch="shared" if n < 3 else mark,
            tags=["shared", mark],
            # The first job's parent is of the other organisation.
            parent_id=_parent(org, n),
            # One job is run by another system.
            source_id=source_of(org) if n == OF_SOURCE else None,
            external_id=f"{mark} {n}" if n == OF_SOURCE else None,
        )
        error = {"error_code": row["last_error_code"], "error_message": row["last_error_message"]}
        detail = {"by": mark, "worker": mark, **error}
        rows.append(row)
        steps += events(row, *STEPS[status], detail=detail)
    return rows, steps


OURS, OUR_EVENTS = ledger(ORG, 5, "ours")
THEIRS, THEIR_EVENTS = ledger(OTHER_ORG, 9, MARK)


def ids(rows: list[Any], steps: list[Any]) -> list[str]:
    return [str(row["id"]) for row in rows] + [f"{each['job_id']}:{each['seq']}" for each in steps]


MAYBE_TIMES = ("scheduled_at", "started_at", "finished_at")


def cursors(rows: list[Any], steps: list[Any]) -> list[str]:
    """Make the cursors that the organisation of these rows gets."""
    return [
        encode(order, SimpleNamespace(**(dict.fromkeys(MAYBE_TIMES) | row)))
        for order in (*JOB_ORDERS.values(), EVENTS_NEWEST_FIRST, EVENTS_OF_JOB)
        for row in (steps if order.name.startswith("EVENTS") else rows)
    ]


OUR_IDS, THEIR_IDS = ids(OURS, OUR_EVENTS), ids(THEIRS, THEIR_EVENTS)
OUR_CURSORS, THEIR_CURSORS = cursors(OURS, OUR_EVENTS), cursors(THEIRS, THEIR_EVENTS)
