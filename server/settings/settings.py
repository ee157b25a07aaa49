"""All groups of settings, and how they are read from `JOBLENS_…` variables."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from schema.execution.persisted_documents import Mode
from server.hostnames import is_loopback
from server.settings.database import DatabaseSettings
from server.settings.documents import DocumentSettings
from server.settings.jobs import JobSettings
from server.settings.limits import LimitSettings
from server.settings.live import LiveSettings
from server.settings.load import LoadSettings
from server.settings.logs import LogSettings
from server.settings.metrics import MetricsSettings
from server.settings.mirrors import MirrorSettings
from server.settings.retention import RetentionSettings
from server.settings.serving import ServingSettings
from server.settings.sign_in import SignInSettings
from server.settings.tallies import TallySettings
from server.settings.values import PREFIX


class SettingsError(Exception):
    """A `JOBLENS_…` variable is unknown or has an invalid value."""


class Settings(
    MetricsSettings,
    LogSettings,
    MirrorSettings,
    RetentionSettings,
    TallySettings,
    LiveSettings,
    LoadSettings,
    DocumentSettings,
    LimitSettings,
    JobSettings,
    ServingSettings,
    SignInSettings,
    DatabaseSettings,
):
    """The settings of one process. Use `Settings.read()` to get them."""

    model_config = ConfigDict(title="Settings", frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _validate_host(self) -> Self:
        if self.auth == "none" and not is_loopback(self.host):
            raise ValueError(
                f"{PREFIX}AUTH=none accepts all clients, so {PREFIX}HOST must be a loopback address"
            )
        return self

    @model_validator(mode="after")
    def _validate_metrics(self) -> Self:
        if self.metrics_port and (self.metrics_port, self.metrics_host) == (self.port, self.host):
            raise ValueError(f"{PREFIX}METRICS_PORT and {PREFIX}PORT must differ")
        return self

    @model_validator(mode="after")
    def _validate_registered(self) -> Self:
        if self.documents is not Mode.ANY and self.documents_dir is None and not self.dashboard:
            needs = f"{PREFIX}DOCUMENTS_DIR or {PREFIX}DASHBOARD"
            raise ValueError(f"{PREFIX}DOCUMENTS={self.documents} needs {needs}")
        return self

    @classmethod
    def groups(cls) -> list[type[BaseModel]]:
        """List the groups in the order of the documentation."""
        return [base for base in reversed(cls.__bases__) if issubclass(base, BaseModel)]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from `environ`, by default the process's environment.

        Raises SettingsError, which names every invalid variable.
        """
        names = {PREFIX + name.upper(): name for name in cls.model_fields}
        source = os.environ if environ is None else environ
        variables = {k: v for k, v in source.items() if k.startswith(PREFIX)}
        unknown = sorted(variables.keys() - names.keys())
        if unknown:
            raise SettingsError(f"unknown setting: {', '.join(unknown)}")
        values = {names[k]: v for k, v in variables.items() if v != ""}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(
                "; ".join(
                    ": ".join([*map(_variable, fault["loc"]), fault["msg"]])
                    for fault in error.errors()
                )
            ) from None


def _variable(name: object) -> str:
    return PREFIX + str(name).upper()
