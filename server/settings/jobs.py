"""Pages, sizes, redaction and retries of jobs."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from db.job_defaults import DEFAULT_BACKOFF_BASE_SECONDS, DEFAULT_BACKOFF_CAP_SECONDS
from db.limits import MAX_JSON_BYTES
from resolvers.redaction import Redaction
from resolvers.secret_keys import DEFAULT_KEYS, SecretKeys
from server.settings.values import PREFIX


class JobSettings(BaseModel):
    """Pages, sizes, redaction and retries of jobs."""

    model_config = ConfigDict(title="Jobs")

    page_size_default: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Nodes in a page if a query has neither `first` nor `last`.",
    )
    page_size_max: int = Field(
        200,
        ge=1,
        le=10_000,
        description="The largest `first` or `last`, and the maximum number of ids in `nodes`.",
    )
    max_json_bytes: int = Field(
        MAX_JSON_BYTES,
        ge=1024,
        description="The maximum size of a payload, result or event detail, as compact JSON.",
    )
    redact_keys: str = Field(
        DEFAULT_KEYS,
        description="Names of keys, separated by commas, under which text, objects and lists in "
        "payloads, results and details are hidden from all but administrators. A name matches "
        "whole words of a key, also in the plural: `api_key` matches `x-api-keys` and `myApiKey2`. "
        "`*` matches anything: `*token` matches `accesstoken`, too. Case and punctuation are "
        "ignored.",
    )
    redact_except: str | None = Field(
        None,
        description="Names of keys that are shown although `JOBLENS_REDACT_KEYS` matches them, "
        "such as `token_type,*tokens_details`. The syntax is the same, but each must match the "
        "whole key.",
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
        description="The longest time that a job waits for a retry.",
    )

    @field_validator("redact_keys", "redact_except")
    @classmethod
    def _validate_keys(cls, keys: str | None) -> str | None:
        if keys is not None:
            SecretKeys(keys)
        return keys

    @model_validator(mode="after")
    def _validate_page_sizes(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError(f"{PREFIX}PAGE_SIZE_DEFAULT is greater than {PREFIX}PAGE_SIZE_MAX")
        return self

    def redaction(self) -> Redaction:
        """Get the redaction of secrets."""
        return Redaction(self.redact_keys, self.redact_except)
