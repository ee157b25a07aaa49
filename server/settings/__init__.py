"""Every setting of Joblens: one frozen object, read once from `JOBLENS_…` variables.

The descriptions here are the reference: docs/reference/settings.md is generated from them.
"""

from server.settings.settings import Settings, SettingsError
from server.settings.values import PREFIX

__all__ = ["PREFIX", "Settings", "SettingsError"]
