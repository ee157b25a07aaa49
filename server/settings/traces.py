"""Traces by OpenTelemetry."""

from importlib.util import find_spec

from pydantic import BaseModel, ConfigDict, Field, field_validator


class TraceSettings(BaseModel):
    """Traces by OpenTelemetry."""

    model_config = ConfigDict(title="Traces")

    traces: bool = Field(
        False,
        description="Whether requests, operations, levels and statements have spans of "
        "OpenTelemetry. Needs the extra `joblens[traces]`, and an SDK that exports them.",
    )

    @field_validator("traces")
    @classmethod
    def _validate_installed(cls, chosen: bool) -> bool:
        if chosen and find_spec("opentelemetry") is None:
            raise ValueError("opentelemetry-api is not installed: install joblens[traces]")
        return chosen
