"""Metrics for Prometheus."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from server.settings.values import COMMA_SEPARATED

ALL: Literal["all"] = "all"


def _alone(chosen: tuple[UUID | Literal["all"], ...]) -> tuple[UUID | Literal["all"], ...]:
    if ALL in chosen and len(chosen) > 1:
        raise ValueError("'all' stands alone")
    return chosen


Organisations = Annotated[
    tuple[UUID | Literal["all"], ...], COMMA_SEPARATED, AfterValidator(_alone)
]


class MetricsSettings(BaseModel):
    """Metrics for Prometheus, at `/metrics`. They are off unless they have a port or a token."""

    model_config = ConfigDict(title="Metrics")

    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="The port on which `joblens serve` serves metrics, and nothing else; 0 chooses "
        "a free one. Unset: none of their own.",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="The address of `JOBLENS_METRICS_PORT`.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="The token that `Authorization: Bearer …` must have to read metrics. With it, "
        "and without a port of their own, they are served on the address of the API.",
    )
    metrics_ledger: Organisations = Field(
        (),
        description="The organisations, by their ids and separated by commas, whose jobs are among "
        "the metrics; or `all`, for which the server's login must own the tables. Their figures "
        "are read from the database when metrics are asked for.",
    )
    metrics_ledger_max: int = Field(
        50,
        ge=1,
        le=1_000,
        description="The organisations whose jobs are among the metrics at most.",
    )
    metrics_ledger_seconds: float = Field(
        15.0,
        ge=1,
        le=3600,
        description="How long a process answers with the same figures of organisations.",
    )

    @property
    def has_metrics(self) -> bool:
        """Whether metrics are served."""
        return self.metrics_port is not None or self.metrics_token is not None
