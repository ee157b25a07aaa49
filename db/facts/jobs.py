"""One job of a source: what is stored of it, what facts add to it, and what is to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from db.error_groups.fingerprints import fingerprint_of
from db.facts.descriptions import Description
from db.facts.fact import Fact
from db.facts.history import Event, columns_of, history_of, step_of
from db.facts.steps import Steps
from db.facts.storable import step_of_fact, utc, values_of
from db.job_defaults import DEFAULT_PRIORITY, DEFAULT_QUEUE

Row = Mapping[str, Any]

_NONE: Mapping[int, Event] = MappingProxyType({})

# Of a job whose facts have not named its type yet.
UNKNOWN_TYPE = "unknown"
# The columns that are reported, with what they have until then.
DESCRIBED: Row = {
    "type": UNKNOWN_TYPE,
    "queue": DEFAULT_QUEUE,
    "priority": DEFAULT_PRIORITY,
    "requested_by": None,
    "scheduled_at": None,
    "parent_id": None,
    "batch": None,
    "tags": None,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written of a job. `columns`: all of its row that facts determine.

    `removed_from`: the `seq` from which on its stored events are replaced; None: none is. `events`:
    those to append, by `seq`. `reported`: payload, result and error, if they change.
    """

    job_id: UUID
    columns: Row
    removed_from: int | None
    events: Mapping[int, Event]
    reported: Row


class ObservedJob:
    """A job that facts describe. `stored`: its events by `seq`, oldest first; `row`: its row."""

    def __init__(
        self, job_id: UUID, row: Row | None = None, stored: Mapping[int, Event] = _NONE
    ) -> None:
        self.id = job_id
        self._row, self._stored = row, stored
        steps = (step_of(event) for event in stored.values())
        self._steps = Steps(step for step in steps if step is not None)
        self._description = Description(row["described"], row) if row else Description()
        self.is_changed = False

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is stored yet."""
        return self._row is None

    def add(self, source: str, fact: Fact) -> bool:
        """Add a fact of the source; return whether it reported anything new."""
        is_new = self._steps.add(step_of_fact(fact))
        seen_at = None if fact.seen_at is None else utc(fact.seen_at)
        is_new |= self._description.add(values_of(source, fact), utc(fact.ts), seen_at)
        self.is_changed |= is_new
        return is_new

    @property
    def change(self) -> Change:
        """What is to be written."""
        events = history_of(self._steps)
        described = {name: self._described(name) for name in DESCRIBED}
        kept = 0 if self._is_moved(described) else _same(events, list(self._stored.values()))
        seqs = list(self._stored)
        last = self._row["event_seq"] if self._row else 0
        added = dict(enumerate(events[kept:], last + 1))
        columns = columns_of(events)
        max_attempts = max(self._description.get("max_attempts") or 1, columns["attempt"])
        columns |= described
        columns |= {
            "max_attempts": max_attempts,
            "event_seq": last + len(added),
            "described": self._description.stored,
        }
        removed_from = seqs[kept] if kept < len(seqs) else None
        return Change(self.id, columns, removed_from, added, self._reported())

    def _described(self, name: str) -> Any:
        value = self._description.get(name)
        if value is None:
            return DESCRIBED[name]
        # The driver's UUIDs are of a class of its own, which is not written as JSON.
        return str(value) if name == "parent_id" else value

    def _is_moved(self, described: Row) -> bool:
        """Whether the sums have its events under another type or queue."""
        row = self._row
        return row is not None and any(row[name] != described[name] for name in ("type", "queue"))

    def _reported(self) -> Row:
        changed = self._description.changed
        found: dict[str, Any] = {n: changed[n] for n in ("payload", "result") if n in changed}
        if "error" in changed:
            code, message = changed["error"]
            fingerprint = fingerprint_of(code, message)
            found |= {
                "last_error_code": code,
                "last_error_message": message,
                "error_group": fingerprint.id if fingerprint else None,
            }
        return found


def _same(events: Sequence[Event], stored: Sequence[Event]) -> int:
    """Return how many events at the beginning stay as they are stored."""
    pairs = enumerate(zip(events, stored, strict=False))
    shorter = min(len(events), len(stored))
    return next((number for number, (new, old) in pairs if new != old), shorter)
