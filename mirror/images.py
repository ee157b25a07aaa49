"""Images: the rows of jobs, as they were read and as the write-ahead log has changed them since."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mirror.adapters import Adapter, Row, Rows, Table
from mirror.pgoutput import Change

# Jobs whose rows are kept in memory; those of others are read again when they change.
MAX_JOBS = 20_000

PrimaryKey = tuple[str, ...]
_Found = dict[str, dict[PrimaryKey, dict[str, Any]]]


class Images:
    """The rows of the jobs that changed last."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._tables: Mapping[str, Table] = {table.name: table for table in adapter.tables}
        self._jobs: OrderedDict[str, _Found] = OrderedDict()
        # The job of each row, and the jobs of a value by which other tables are joined.
        self._owners: dict[tuple[str, PrimaryKey], str] = {}
        self._joined: dict[tuple[str, str], str] = {}
        self._beside: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)

    def __contains__(self, key: str) -> bool:
        return key in self._jobs

    def put(self, key: str, rows: Rows) -> None:
        """Take the rows of a job as they were read."""
        self._jobs.setdefault(key, {})
        for name, of_table in rows.items():
            for row in of_table:
                self._store(self._tables[name], key, dict(row))
        self._jobs.move_to_end(key)
        while len(self._jobs) > MAX_JOBS:
            self._forget(next(iter(self._jobs)))

    def key_of(self, change: Change) -> str | None:
        """Return the key of the job of a changed row; None if that is not known, or of many."""
        table = self._tables[change.table]
        if table.is_beside:
            return None
        own = self._owners.get((table.name, _primary_key(table, change.texts)))
        if own is not None:
            return own
        if table is self._adapter.tables[0]:
            return change.texts.get(self._adapter.key_column)
        assert table.joined is not None
        column, of_jobs = table.joined
        value = change.texts.get(column)
        if value is None or of_jobs == self._adapter.key_column:
            return value
        return self._joined.get((of_jobs, value))

    def apply(self, key: str | None, change: Change) -> None:
        """Apply a change to the rows of its job."""
        table = self._tables[change.table]
        if change.kind == "delete":
            primary = _primary_key(table, change.texts)
            if key is not None:
                self._jobs.get(key, {}).get(table.name, {}).pop(primary, None)
            self._owners.pop((table.name, primary), None)
        elif change.kind != "truncate":
            row = dict(table.row(change.texts))
            if table.is_beside:
                self._put_beside(table, row)
            elif key is not None:
                self._store(table, key, row)

    def rows(self, key: str) -> Rows | None:
        """Return the rows of a job; None if it has none any more."""
        found = self._jobs.get(key, {})
        first = self._adapter.tables[0].name
        has_rows = any(found.values()) if self._adapter.is_outlived else bool(found.get(first))
        if not has_rows:
            return None
        rows: dict[str, list[Row]] = {
            name: [_whole(table, row) for row in found.get(name, {}).values()]
            for name, table in self._tables.items()
        }
        for table in self._adapter.tables:
            if table.is_beside and table.joined is not None:
                own = str(rows[first][0].get(table.joined[1]))
                other = self._beside[table.name].get(own)
                rows[table.name] = [] if other is None else [other]
        return rows

    def drop(self, key: str) -> None:
        """Forget a job."""
        if key in self._jobs:
            self._forget(key)

    def _store(self, table: Table, key: str, row: dict[str, Any]) -> None:
        if table.is_beside:
            self._put_beside(table, row)
            return
        primary = tuple(str(row.get(name)) for name in table.primary_key)
        of_table = self._jobs.setdefault(key, {}).setdefault(table.name, {})
        # Large values that stayed are not in the log.
        of_table[primary] = {**of_table.get(primary, {}), **row}
        self._owners[table.name, primary] = key
        if table is self._adapter.tables[0]:
            for column in self._join_columns():
                self._joined[column, str(row.get(column))] = key

    def _put_beside(self, table: Table, row: dict[str, Any]) -> None:
        assert table.joined is not None
        self._beside[table.name][str(row[table.joined[0]])] = row

    def _join_columns(self) -> Iterable[str]:
        for table in self._adapter.tables:
            if table.joined is not None and not table.is_beside:
                yield table.joined[1]

    def _forget(self, key: str) -> None:
        for name, of_table in self._jobs.pop(key).items():
            for primary, row in of_table.items():
                self._owners.pop((name, primary), None)
                for column in self._join_columns():
                    if name == self._adapter.tables[0].name:
                        self._joined.pop((column, str(row.get(column))), None)


def _primary_key(table: Table, texts: Mapping[str, str | None]) -> PrimaryKey:
    return tuple(str(texts.get(name)) for name in table.primary_key)


def _whole(table: Table, row: Mapping[str, Any]) -> Row:
    """Return a row with all its columns: those that are missing are null."""
    return {**dict.fromkeys(table.columns), **row}
