"""The viewer of a request: who it is, and what its roles allow."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a viewer may do. Each role includes the ones before it."""

    VIEWER = "viewer"
    WRITER = "writer"
    OPERATOR = "operator"
    ADMIN = "admin"


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The client of a request: its organisation, its name there, and its roles.

    `expires_at`: when its credential expires; None if never, or if it has none. Viewers of other
    credentials are equal.
    """

    org_id: UUID
    subject: str
    roles: tuple[Role, ...]
    expires_at: datetime | None = field(default=None, compare=False)

    def may(self, role: Role) -> bool:
        """Return whether one of the viewer's roles is `role` or includes it."""
        return any(_RANKS[held] >= _RANKS[role] for held in self.roles)
