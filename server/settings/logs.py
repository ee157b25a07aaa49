"""The log's format and level, slow queries, and the audit log."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LogSettings(BaseModel):
    """The log's format and level, slow queries, and the audit log."""

    model_config = ConfigDict(title="Logs")

    log_format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="`text`, `json`, or `auto`: text on a terminal, JSON otherwise.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="The lowest level that is logged.",
    )
    slow_operation_seconds: float | None = Field(
        None,
        ge=0,
        description="Queries and mutations that take at least so long are logged, with where their "
        "time went. Unset: none.",
    )
    slow_statement_seconds: float | None = Field(
        None,
        ge=0,
        description="Statements that take at least so long are logged, without their values. "
        "Unset: none.",
    )
    slow_plans: bool = Field(
        False,
        description="Whether the plans of slow statements are logged, too: a statement's once in "
        "ten minutes, and one in five seconds.",
    )
    audit_log: bool = Field(
        True,
        description="Whether each mutation, refused sign-in and exceeded limit is logged, at any "
        "level, by the logger `joblens.audit`.",
    )
