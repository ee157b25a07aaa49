"""One job of a source: what is stored of it, what facts add to it, and what is to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import or_
from types import MappingProxyType
from typing import Any
from uuid import UUID

from db.error_groups.fingerprints import fingerprint_of
from db.facts.descriptions import Description
from db.facts.fact import Fact
from db.facts.history import Event, columns_of, events_after, history_of, may_replace, step_of
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
    those to append, by `seq`. `reported`: of statements.GROUPS those that change.
    """

    job_id: UUID
    columns: Row
    removed_from: int | None
    events: Mapping[int, Event]
    reported: Row


class ObservedJob:
    """A job that facts describe. `row`: what is stored of it; None: nothing is yet.

    Facts that come after all that is stored need no more than the row. `recorded`: how many
    reported anything new.
    """

    def __init__(self, job_id: UUID, row: Row | None, source: str, facts: Sequence[Fact]) -> None:
        self.id, self._row = job_id, row
        self._steps = [step_of_fact(fact) for fact in facts]
        self._description = Description(row["described"], row) if row else Description()
        self._described_by = [self._is_described_by(source, fact) for fact in facts]
        self.recorded = len(facts)
        self._stored = _NONE
        self._next = events_after(row, self._steps) if row else None
        if row is None:
            self.place_among(_NONE)

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is stored yet."""
        return self._row is None

    @property
    def is_continued(self) -> bool:
        """Whether its facts come after all that is stored; see `needs_exact`."""
        return self._next is not None and not self._is_moved

    @property
    def needs_exact(self) -> bool:
        """Whether they come after it only if all of it is exact."""
        return self._row is not None and any(may_replace(self._row, s) for s in self._steps)

    def place_among(self, stored: Mapping[int, Event]) -> None:
        """Put its facts among its stored events, which are given by `seq`, oldest first."""
        steps = (step_of(event) for event in stored.values())
        placed = Steps(step for step in steps if step is not None)
        are_new = [placed.add(step) for step in self._steps]
        self.recorded = sum(map(or_, are_new, self._described_by))
        self._stored, self._next, self._steps = stored, None, list(placed)

    @property
    def change(self) -> Change:
        """What is to be written."""
        removed_from, added, columns = self._history
        last = self._row["event_seq"] if self._row else 0
        max_attempts = max(self._description.get("max_attempts") or 1, columns["attempt"])
        columns |= {
            "type": self._described("type"),
            "max_attempts": max_attempts,
            "event_seq": last + len(added),
        }
        return Change(
            self.id, columns, removed_from, dict(enumerate(added, last + 1)), self._reported()
        )

    @property
    def _history(self) -> tuple[int | None, Sequence[Event], dict[str, Any]]:
        """From which `seq` on events are removed, those to append, and the columns by them."""
        if self._next is not None:
            return None, self._next, columns_of(self._next, self._row)
        events = history_of(self._steps)
        kept = 0 if self._is_moved else _same(events, list(self._stored.values()))
        seqs = list(self._stored)
        removed_from = seqs[kept] if kept < len(seqs) else None
        return removed_from, events[kept:], columns_of(events)

    def _is_described_by(self, source: str, fact: Fact) -> bool:
        seen_at = None if fact.seen_at is None else utc(fact.seen_at)
        return self._description.add(values_of(source, fact), utc(fact.ts), seen_at)

    def _described(self, name: str) -> Any:
        value = self._description.get(name)
        if value is None:
            return DESCRIBED[name]
        # The driver's UUIDs are of a class of its own, which is not written as JSON.
        return str(value) if name == "parent_id" else value

    @property
    def _is_moved(self) -> bool:
        """Whether the sums have its events under another type or queue."""
        row = self._row
        return (
            row is not None
            and self._description.is_changed
            and any(row[name] != self._described(name) for name in ("type", "queue"))
        )

    def _reported(self) -> Row:
        changed = self._description.changed
        found: dict[str, Any] = {}
        if self._description.is_changed:
            found = {name: self._described(name) for name in DESCRIBED if name != "type"}
            found["described"] = self._description.stored
        found |= {n: changed[n] for n in ("payload", "result") if n in changed}
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
