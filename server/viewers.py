"""Who acts: for the same answer over every transport."""

from resolvers.context import Role, Viewer
from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from server.settings import Settings

ORG_HEADER = "Joblens-Org"


def get_viewer(settings: Settings, org: object) -> Viewer:
    """Say for whom a request that names `org`, or None, acts.

    There are no credentials yet: it is anybody, and may do everything.
    """
    org_id = settings.org
    if org is not None:
        parsed = parse_uuid(org) if isinstance(org, str) else None
        if parsed is None:
            raise JoblensError(ErrorCode.BAD_REQUEST, f"{ORG_HEADER} must be a UUID.")
        org_id = parsed
    return Viewer(org_id, "anonymous", (Role.ADMIN,))
