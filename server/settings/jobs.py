"""How jobs are shown, taken and retried."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from db.job_defaults import DEFAULT_BACKOFF_BASE_SECONDS, DEFAULT_BACKOFF_CAP_SECONDS
from db.limits import MAX_JSON_BYTES
from resolvers.redaction import Redaction
from resolvers.secret_keys import DEFAULT_KEYS, SecretKeys
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
        description="The names of keys, divided by commas, under which text, objects and lists are "
        "hidden from all but administrators in payloads, results and details. A name is found "
        "where it makes up whole words of a key, also in the plural: `api_key` in `x-api-keys` and "
        "in `myApiKey2`. `*` stands for anything: `*token` is in `accesstoken`, too. Case and "
        "punctuation do not count.",
    )
    redact_except: str | None = Field(
        None,
        description="The names of keys that are shown although `JOBLENS_REDACT_KEYS` finds a name "
        "in them, such as `token_type,*tokens_details`. Written in the same way, but each names "
        "the whole key.",
    )
    backoff_base_seconds: float = Field(
        DEFAULT_BACKOFF_BASE_SECONDS,
        ge=0,
        le=86_400,
        description="How long a job waits for its first retry.",
    )
    backoff_cap_seconds: float = Field(
        DEFAULT_BACKOFF_CAP_SECONDS,
        ge=0,
        le=604_800,
        description="The longest that a job waits for a retry.",
    )

    @field_validator("redact_keys", "redact_except")
    @classmethod
    def _can_be_keys(cls, keys: str | None) -> str | None:
        if keys is not None:
            SecretKeys(keys)
        return keys

    @model_validator(mode="after")
    def _pages_fit(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError(f"{PREFIX}PAGE_SIZE_DEFAULT is above {PREFIX}PAGE_SIZE_MAX")
        return self

    def redaction(self) -> Redaction:
        """Get what hides secrets."""
        return Redaction(self.redact_keys, self.redact_except)
