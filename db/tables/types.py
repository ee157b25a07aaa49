"""The metadata of all tables, and the types of their columns."""

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData()

Timestamp = DateTime(timezone=True)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return the name of the type in SQL."""
        return "xid8"


class PgSnapshot(UserDefinedType[str]):
    """PostgreSQL's snapshot: which transactions it sees."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return the name of the type in SQL."""
        return "pg_snapshot"


# `alembic check` looks the types up here when it inspects a database.
ischema_names["xid8"] = Xid8
ischema_names["pg_snapshot"] = PgSnapshot


def one_of(column: str, values: list[str]) -> str:
    """Write the condition that a column has one of these values."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"
