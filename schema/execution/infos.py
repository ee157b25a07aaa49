"""What resolvers get as `info` from the compiled executor."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import strawberry


@dataclass
class PlannedInfo(strawberry.Info[Any, None]):
    """The info of one field of a plan. `selected`: what was read of the selections below it."""

    selected: dict[Hashable, Any]
