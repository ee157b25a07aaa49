"""What facts say of the job itself: of each column the latest fact that says something counts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Any
from uuid import UUID

from db.json_values import canonical

# What the column `described` keeps of the value itself: it is large, or not in the job's row.
_DIGESTED = frozenset({"payload", "result", "error"})
_KEPT = frozenset({"max_attempts"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Reported:
    """A value of a column, and the time for which it was reported, in ISO 8601 and UTC."""

    __slots__ = ("_key", "_name", "ts", "value")

    def __init__(self, name: str, value: Any, ts: str, key: str | None = None) -> None:
        self.ts, self.value = ts, value
        self._name, self._key = name, key

    @property
    def key(self) -> str:
        """By it, values that were reported for one time are equal, or in an order."""
        if self._key is None:
            value = self.value
            text = canonical(str(value) if isinstance(value, UUID | datetime) else value)
            is_digested = self._name in _DIGESTED
            self._key = blake2b(text, digest_size=8).hexdigest() if is_digested else text.decode()
        return self._key


class Description:
    """The latest values of one job. `changed`: those that differ from what was read.

    `is_changed`: whether the column `described` does.
    `described`: what that column has. Of values that are not large or kept there, the job's row
    has those that were reported.
    """

    def __init__(
        self, described: Mapping[str, Any] | None = None, row: Mapping[str, Any] = _NOTHING
    ) -> None:
        self.changed: dict[str, Any] = {}
        self.is_changed = described is None
        self._described, self._row = described, row
        self._read: Mapping[str, Any] = (described or _NOTHING).get("is", _NOTHING)
        self._all: dict[str, Reported] | None = None

    def add(self, values: Mapping[str, Any], ts: datetime, seen_at: datetime | None) -> bool:
        """Take the values of a fact; return whether they reported anything new.

        `seen_at`: when they were read, of a source that shows only how they are now.
        """
        is_new = False
        if not values:
            return is_new
        time = (seen_at or ts).isoformat()
        latest = self._latest
        for name, value in values.items():
            new, known = Reported(name, value, time), latest.get(name)
            if known is not None and known.key == new.key:
                if seen_at is not None or new.ts <= known.ts:
                    continue
            elif known is not None and (new.ts, new.key) < (known.ts, known.key):
                continue
            else:
                self.changed[name] = value
            latest[name] = new
            self._described = None
            self.is_changed = is_new = True
        return is_new

    @property
    def stored(self) -> Mapping[str, Any]:
        """What the column `described` is to have."""
        if self._described is None:
            at: dict[str, list[str]] = {}
            for name, known in sorted(self._latest.items()):
                at.setdefault(known.ts, []).append(name)
            self._described = {"at": at, "is": dict(self._kept())}
        return self._described

    @property
    def _latest(self) -> dict[str, Reported]:
        """The latest values by their names: only made if facts say something of the job."""
        if self._all is None:
            self._all = {
                name: self._as_read(name, ts)
                for ts, names in (self._described or _NOTHING).get("at", _NOTHING).items()
                for name in names
            }
        return self._all

    def _as_read(self, name: str, ts: str) -> Reported:
        if name in _DIGESTED:
            return Reported(name, None, ts, self._read[name])
        return Reported(name, self._read[name] if name in _KEPT else self._row[name], ts)

    def _kept(self) -> Iterator[tuple[str, Any]]:
        for name, known in self._latest.items():
            if name in _DIGESTED:
                yield name, known.key
            elif name in _KEPT:
                yield name, known.value

    def get(self, name: str) -> Any:
        """Return the latest value of a column that is not digested.

        If no fact has it, None or what the job's row has.
        """
        if not self.is_changed:
            return self._read.get(name) if name in _KEPT else self._row[name]
        known = self._latest.get(name)
        return None if known is None else known.value


def named(names: Iterable[str], fact: Any) -> dict[str, Any]:
    """Return the values of a fact that say something, by their names."""
    return {name: value for name in names if (value := getattr(fact, name)) is not None}
