"""The settings: one frozen object, read once from `JOBLENS_…` environment variables.

docs/reference/settings.md is generated from the descriptions here.
"""

from server.settings.settings import Settings, SettingsError
from server.settings.values import PREFIX

__all__ = ["PREFIX", "Settings", "SettingsError"]
