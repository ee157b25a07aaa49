"""Deletion of jobs that no retention policy keeps."""

from pydantic import BaseModel, ConfigDict, Field


class RetentionSettings(BaseModel):
    """Deletion of jobs that no retention policy keeps."""

    model_config = ConfigDict(title="Retention")

    prune_interval_seconds: float = Field(
        600.0,
        ge=0,
        le=86_400,
        description="How often a process deletes jobs that no retention policy keeps; 0: never. "
        "Without a policy nothing is deleted.",
    )
    prune_batch_size: int = Field(
        500,
        ge=1,
        le=10_000,
        description="The maximum number of jobs that a transaction deletes.",
    )
    prune_pause_ratio: float = Field(
        4.0,
        ge=0,
        le=1_000,
        description="After each transaction that deletes, the process waits so many times as long "
        "as it took.",
    )
