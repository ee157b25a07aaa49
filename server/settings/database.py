"""The database, its connection pool and its timeouts."""

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from db.connections import Pooler


def _default_data_dir() -> Path:
    return platformdirs.user_data_path("joblens", appauthor=False)


class DatabaseSettings(BaseModel):
    """The database, its connection pool and its timeouts."""

    model_config = ConfigDict(title="The database")

    database_url: SecretStr | None = Field(
        None,
        description="The PostgreSQL database (15 to 18), as a libpq connection URI such as "
        "`postgresql://user:password@host/database`. Unset: an embedded PostgreSQL, for evaluation "
        "and development.",
    )
    database_pooler: Pooler = Field(
        Pooler.NONE,
        description="The connection pooler that `JOBLENS_DATABASE_URL` leads to: `none`; "
        "`session`, where a client keeps its server connection; `transaction`, where it has one "
        "for each transaction, so that nothing is prepared by name. Programs that use the "
        "repository read it too.",
    )
    listen_url: SecretStr | None = Field(
        None,
        description="Where to listen for notifications of new events: a connection URI that leads "
        "to the same database without a transaction pooler. Unset: `JOBLENS_DATABASE_URL`.",
    )
    replica_url: SecretStr | None = Field(
        None,
        description="A hot standby of `JOBLENS_DATABASE_URL`, as a connection URI, that answers "
        "queries. Its pool is as large as the primary's.",
    )
    replica_max_lag_seconds: float = Field(
        5.0,
        gt=0,
        le=3600,
        description="The lag of a replica beyond which the primary answers all queries.",
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="The directory of the embedded PostgreSQL's data. Unset: `joblens` in the "
        "user's data directory.",
    )
    pool_size: int = Field(
        10,
        ge=1,
        le=1000,
        description="Database connections that a process keeps open.",
    )
    pool_overflow: int = Field(
        10,
        ge=0,
        le=1000,
        description="Connections above the pool's size that may be opened at peaks. A quarter of "
        "all is reserved for viewers that hold none.",
    )
    pool_timeout_seconds: float = Field(
        5.0,
        gt=0,
        le=300,
        description="How long a request waits for a connection before it fails with `UNAVAILABLE`.",
    )
    pool_recycle_seconds: int = Field(
        1800,
        ge=1,
        description="The age at which a connection is replaced before its next use.",
    )
    connect_timeout_seconds: float = Field(
        5.0,
        gt=0,
        le=300,
        description="How long opening a database connection may take.",
    )
    statement_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=3600,
        description="How long one SQL statement may run before it fails with `TIMEOUT`.",
    )
    scan_timeout_seconds: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="How long a statement may run whose filter no index answers, such as a part of "
        "an error message, before it fails with `SCAN_TIMEOUT`; at most the timeout of statements.",
    )
