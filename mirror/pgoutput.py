"""Decodes `pgoutput`, version 1 of its protocol: transactions, and the rows that they changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Literal

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT16, _INT32, _INT64 = Struct(">h"), Struct(">I"), Struct(">q")
# Of a column: it is a part of the replica identity.
_IS_KEY = 1

Texts = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was changed. `texts`: its columns; those that stayed and are large are left out.

    `key`: the values of its replica identity. Of a deleted row `texts` has no other columns.
    """

    kind: Literal["insert", "update", "delete", "truncate"]
    schema: str
    table: str
    key: tuple[str | None, ...] = ()
    texts: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins that was committed at `ts`; `xid`: the lower half of its id."""

    ts: datetime
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction ends; `lsn` is right after it."""

    lsn: int
    ts: datetime


@dataclass(frozen=True, slots=True)
class _Relation:
    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class _Message:
    """Reads the fields of a message one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> str:
        self._at += 1
        return chr(self._data[self._at - 1])

    def number(self, kind: Struct) -> int:
        (value,) = kind.unpack_from(self._data, self._at)
        self._at += kind.size
        return int(value)

    def name(self) -> str:
        end = self._data.index(0, self._at)
        text = self._data[self._at : end].decode()
        self._at = end + 1
        return text

    def text(self) -> str:
        size = self.number(_INT32)
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def ts(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.number(_INT64))

    def row(self, columns: Iterable[str]) -> dict[str, str | None]:
        """Read the columns of a row; those that are not sent are left out."""
        self.number(_INT16)
        row: dict[str, str | None] = {}
        for name in columns:
            kind = self.byte()
            if kind == "t":
                row[name] = self.text()
            elif kind == "n":
                row[name] = None
        return row


class Decoder:
    """Decodes the messages of one reading, which describes each table before its first row."""

    def __init__(self) -> None:
        self._relations: dict[int, _Relation] = {}

    def decode(self, data: bytes) -> Iterator[Begin | Commit | Change]:
        """Decode a message; most are one change."""
        message = _Message(data)
        kind = message.byte()
        if kind == "B":
            message.number(_INT64)
            yield Begin(message.ts(), message.number(_INT32))
        elif kind == "C":
            message.byte()
            message.number(_INT64)
            yield Commit(message.number(_INT64), message.ts())
        elif kind == "R":
            self._relate(message)
        elif kind == "I":
            yield self._changed("insert", message)
        elif kind == "U":
            yield self._changed("update", message)
        elif kind == "D":
            yield self._deleted(message)
        elif kind == "T":
            yield from self._truncated(message)

    def _relate(self, message: _Message) -> None:
        oid, schema, name = message.number(_INT32), message.name(), message.name()
        message.byte()
        columns: list[str] = []
        key: list[str] = []
        for _ in range(message.number(_INT16)):
            is_key = ord(message.byte()) & _IS_KEY
            columns.append(message.name())
            message.number(_INT32)
            message.number(_INT32)
            if is_key:
                key.append(columns[-1])
        self._relations[oid] = _Relation(schema, name, tuple(columns), tuple(key))

    def _changed(self, kind: Literal["insert", "update"], message: _Message) -> Change:
        relation = self._relations[message.number(_INT32)]
        if message.byte() != "N":
            # The identity before the change, which changed, or the whole row before it.
            message.row(relation.columns)
            message.byte()
        row = message.row(relation.columns)
        key = tuple(row.get(name) for name in relation.key)
        return Change(kind, relation.schema, relation.name, key, row)

    def _deleted(self, message: _Message) -> Change:
        relation = self._relations[message.number(_INT32)]
        message.byte()
        row = message.row(relation.columns)
        key = tuple(row.get(name) for name in relation.key)
        texts = dict(zip(relation.key, key, strict=True))
        return Change("delete", relation.schema, relation.name, key, texts)

    def _truncated(self, message: _Message) -> Iterator[Change]:
        count = message.number(_INT32)
        message.byte()
        for _ in range(count):
            relation = self._relations[message.number(_INT32)]
            yield Change("truncate", relation.schema, relation.name)


def lsn_text(lsn: int) -> str:
    """Write a position of the write-ahead log as PostgreSQL does."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    """Read such a position."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)
