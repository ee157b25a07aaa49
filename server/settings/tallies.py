"""Sums of events, from which counts and charts are answered."""

from pydantic import BaseModel, ConfigDict, Field


class TallySettings(BaseModel):
    """Sums of events, from which counts and charts are answered."""

    model_config = ConfigDict(title="Tallies")

    tally_interval_seconds: float = Field(
        2.0,
        ge=0,
        le=3600,
        description="How often a process sums new events; 0: never. Answers are exact in any case: "
        "they add the events that are not summed yet.",
    )
    tally_max_keys: int = Field(
        1_000,
        ge=10,
        le=100_000,
        description="The pairs of type and queue of an organisation that have sums of their own. "
        "The queues, and then the types, that are met later are summed together as `(others)`.",
    )
