"""The paging arguments that every connection field takes."""

from typing import Annotated

import strawberry

First = Annotated[
    int | None,
    strawberry.argument(description="How many, from the list's beginning or after `after`."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="A cursor: the page begins right after it. Empty: none."),
]
Last = Annotated[
    int | None, strawberry.argument(description="How many, from the list's end or before `before`.")
]
Before = Annotated[
    str | None,
    strawberry.argument(description="A cursor: the page ends right before it. Empty: none."),
]
