"""`JOBLENS_AUTH=none`: accept every request as an anonymous admin."""

from collections.abc import Collection
from uuid import UUID

from db.cache_figures import CacheFigures
from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from resolvers.viewer import Role, Viewer
from server.auth.credentials import ORG_HEADER, Credential, PresentedCredential


class NoAuthenticator:
    """Accepts every request, for the organisation that it names. For loopback addresses only."""

    def __init__(self, default_org: UUID) -> None:
        self._default_org = default_org

    @property
    def cache(self) -> CacheFigures:
        """Nothing: there are no credentials to cache."""
        return CacheFigures()

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Return an admin credential of the organisation named, or of the default one."""
        org_id = self._default_org
        if presented.org is not None:
            parsed = parse_uuid(presented.org) if isinstance(presented.org, str) else None
            if parsed is None:
                raise JoblensError(ErrorCode.BAD_REQUEST, f"{ORG_HEADER} must be a UUID.")
            org_id = parsed
        return Credential(viewer=Viewer(org_id, "anonymous", (Role.ADMIN,)))

    async def revoked(
        self, _org_id: UUID, _credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Return none: there are no credentials to revoke."""
        return ()

    async def stop(self) -> None:
        """Do nothing: there are no tasks."""
