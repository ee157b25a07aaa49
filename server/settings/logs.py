"""What is logged, and how."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LogSettings(BaseModel):
    """What is logged, and how."""

    model_config = ConfigDict(title="Logs")

    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`text` for people, `json` for machines, `auto`: text on a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important level that is logged."
    )
    audit_log: bool = Field(
        True,
        description="Whether the log also tells of each mutation, refused sign-in and limit that "
        "was met, whatever the level: `logger` is `joblens.audit` then.",
    )
