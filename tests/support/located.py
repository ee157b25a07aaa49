"""The jobs at locations that a search returned."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID


async def ids_at(app: Any, locations: Sequence[tuple[int, int]] | None) -> list[UUID] | None:
    """Read the ids of the jobs at these locations; all of them must be visible to the caller."""
    if locations is None:
        return None
    rows = await app.fetch("SELECT id FROM public.job WHERE ctid = ANY($1)", locations)
    assert len(rows) == len(locations)
    return [row["id"] for row in rows]
