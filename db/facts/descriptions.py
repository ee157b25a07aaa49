"""What facts say of the job itself: of each column the latest fact that says something counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Self
from uuid import UUID

from db.json_values import dumps

# What the column `described` keeps of the value itself: it is large, or not in the job's row.
_DIGESTED = frozenset({"payload", "result", "error"})
_KEPT = frozenset({"max_attempts"})


@dataclass(frozen=True, slots=True)
class Told:
    """A value and the time for which it was told. `key`: by it, values of one time are ordered."""

    ts: datetime
    key: str
    value: Any


def told(name: str, value: Any, ts: datetime) -> Told:
    """Note the value of a column."""
    text = dumps(str(value) if isinstance(value, UUID | datetime) else value)
    key = blake2b(text, digest_size=8).hexdigest() if name in _DIGESTED else text.decode()
    return Told(ts, key, value)


class Description:
    """The latest values of one job. `changed`: those that differ from what was read."""

    def __init__(self) -> None:
        self._latest: dict[str, Told] = {}
        self.changed: dict[str, Any] = {}

    @classmethod
    def read(cls, described: Mapping[str, Any] | None, row: Mapping[str, Any]) -> Self:
        """Read what is stored: the column `described`, and for the small values the job's row."""
        made = cls()
        kept = (described or {}).get("is", {})
        for ts, names in (described or {}).get("at", {}).items():
            for name in names:
                if name in _DIGESTED:
                    made._latest[name] = Told(datetime.fromisoformat(ts), kept[name], None)
                else:
                    value = kept[name] if name in _KEPT else row[name]
                    made._latest[name] = told(name, value, datetime.fromisoformat(ts))
        return made

    def tell(self, values: Mapping[str, Any], ts: datetime, seen_at: datetime | None) -> bool:
        """Take the values of a fact; return whether they told anything new.

        `seen_at`: when they were read, of a source that shows only how they are now.
        """
        is_new = False
        for name, value in values.items():
            new, known = told(name, value, seen_at or ts), self._latest.get(name)
            if known is not None and known.key == new.key:
                if seen_at is not None or new.ts <= known.ts:
                    continue
            elif known is not None and (new.ts, new.key) < (known.ts, known.key):
                continue
            else:
                self.changed[name] = value
            self._latest[name] = new
            is_new = True
        return is_new

    @property
    def stored(self) -> dict[str, Any]:
        """What the column `described` is to have."""
        at: dict[str, list[str]] = {}
        for name, known in sorted(self._latest.items()):
            at.setdefault(known.ts.isoformat(), []).append(name)
        return {"at": at, "is": dict(self._kept())}

    def _kept(self) -> Iterator[tuple[str, Any]]:
        for name, known in self._latest.items():
            if name in _DIGESTED:
                yield name, known.key
            elif name in _KEPT:
                yield name, known.value

    def get(self, name: str) -> Any:
        """Return the latest value of a column that is not digested; None if nobody told it."""
        known = self._latest.get(name)
        return None if known is None else known.value


def named(names: Iterable[str], fact: Any) -> dict[str, Any]:
    """Return the values of a fact that say something, by their names."""
    return {name: value for name in names if (value := getattr(fact, name)) is not None}
