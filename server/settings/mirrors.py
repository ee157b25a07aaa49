"""Queues that other systems run, and that Joblens follows."""

from pydantic import BaseModel, ConfigDict, Field


class MirrorSettings(BaseModel):
    """Queues that other systems run, and that Joblens follows."""

    model_config = ConfigDict(title="Mirrors")

    mirror: bool = Field(
        False,
        description="Whether serving processes follow the queues of the organisation in JOBLENS_ORG"
        " that were added by `joblens mirror add`. Of several processes one follows a queue. Those"
        " of other organisations are followed by `joblens mirror run --org`.",
    )
