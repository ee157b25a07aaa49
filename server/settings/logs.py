"""The log's format and level, and the audit log."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LogSettings(BaseModel):
    """The log's format and level, and the audit log."""

    model_config = ConfigDict(title="Logs")

    log_format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="`text`, `json`, or `auto`: text on a terminal, JSON otherwise.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="The lowest level that is logged.",
    )
    audit_log: bool = Field(
        True,
        description="Whether each mutation, refused sign-in and exceeded limit is logged, at any "
        "level, by the logger `joblens.audit`.",
    )
