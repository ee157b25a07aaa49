"""What resolvers get as `info` from the compiled executor."""

from collections.abc import Hashable
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField


class PlannedInfo(strawberry.Info[Any, None]):
    """The info of one field of a plan. `selected`: what was read of the selections below it."""

    # Not a property as in the base: fields of many objects read it.
    context: Any = None

    def __init__(
        self, raw_info: Any, field: StrawberryField | None, selected: dict[Hashable, Any]
    ) -> None:
        self._raw_info = raw_info
        # None for the leaves of a projection.
        self._field = field  # type: ignore[assignment]
        self.context = raw_info.context
        self.selected = selected
