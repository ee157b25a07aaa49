"""How jobs are shown, taken and retried."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from db.limits import MAX_JSON_BYTES
from resolvers.redaction import DEFAULT_KEYS, Redaction
from server.settings.values import PREFIX


class JobSettings(BaseModel):
    """How jobs are shown, taken and retried."""

    model_config = ConfigDict(title="Jobs")

    page_size_default: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Nodes in a page when a query gives neither `first` nor `last`.",
    )
    page_size_max: int = Field(
        200,
        ge=1,
        le=10_000,
        description="The largest `first` or `last`, and the most ids in `nodes`.",
    )
    max_json_bytes: int = Field(
        MAX_JSON_BYTES,
        ge=1024,
        description="The largest payload, result or event detail that is taken, as compact JSON.",
    )
    redact_keys: str = Field(
        DEFAULT_KEYS,
        description="The names of keys whose values are hidden from all but administrators in "
        "payloads, results and details, divided by commas. `*` stands for anything; the case of a "
        "to z, hyphens, underscores, dots and spaces do not count.",
    )
    backoff_base_seconds: float = Field(
        10.0, ge=0, le=86_400, description="How long a job waits for its first retry."
    )
    backoff_cap_seconds: float = Field(
        3_600.0, ge=0, le=604_800, description="The longest that a job waits for a retry."
    )

    @field_validator("redact_keys")
    @classmethod
    def _can_be_keys(cls, keys: str) -> str:
        Redaction(keys)
        return keys

    @model_validator(mode="after")
    def _pages_fit(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError(f"{PREFIX}PAGE_SIZE_DEFAULT is above {PREFIX}PAGE_SIZE_MAX")
        return self
