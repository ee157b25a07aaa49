"""Finds new error groups among the new events of a feed.

An error is the first of its group if no event before it had its fingerprint. The sums do not tell:
they may have the same events already.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.error_groups.fingerprints import fingerprint_of
from db.error_groups.occurrences import Occurrences
from db.queries.error_groups import ErrorGroup, load_seen_group_ids
from db.queries.event_feed import EventKey, list_errors
from db.tallies.errors import MAX_GROUPS
from resolvers.live.progress import key_of

# Fingerprints take time: after so many, others of this process have a turn.
AT_ONCE = 50


class GroupWatch:
    """Knows the groups of an organisation, as long as a subscriber waits for new ones."""

    def __init__(self, org_id: UUID) -> None:
        self._org_id = org_id
        self._seen: set[UUID] | None = None
        self.is_loading = False

    async def read(
        self, session: AsyncSession, keys: Collection[EventKey]
    ) -> Mapping[EventKey, ErrorGroup]:
        """Find the groups whose first errors are among these events, by event, in their order.

        Call `keep` once they have been delivered: until then, they stay new. One statement for any
        number of events. The first time it loads the groups that this snapshot sees; none is new.
        """
        if self._seen is None:
            self.is_loading = True
            self._seen = await load_seen_group_ids(session, self._org_id)
            self.is_loading = False
            return {}
        if not keys:
            return {}
        rows = {key_of(row): row for row in await list_errors(session, self._org_id, list(keys))}
        return await self._first([rows[key] for key in keys if key in rows], self._seen)

    def keep(self, groups: Mapping[EventKey, ErrorGroup]) -> None:
        """Remember these groups: they are new no more."""
        if self._seen is not None:
            self._seen.update(group.id for group in groups.values())

    def forget(self) -> None:
        """Forget all groups: no subscriber waits for new ones."""
        self._seen = None
        self.is_loading = False

    async def _first(self, rows: list[Any], seen: set[UUID]) -> dict[EventKey, ErrorGroup]:
        found: dict[UUID, tuple[EventKey, Occurrences]] = {}
        for number, row in enumerate(rows):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            fingerprint = fingerprint_of(row.error_code, row.error_message)
            if fingerprint is None or fingerprint.id in seen:
                continue
            if fingerprint.id not in found:
                # The sums have no group for an error beyond these.
                if len(seen) + len(found) >= MAX_GROUPS:
                    continue
                none = Occurrences(fingerprint, 0, row.first, row.last, row.first_xid)
                found[fingerprint.id] = key_of(row), none
            found[fingerprint.id][1].add(row)
        return {key: ErrorGroup.of(errors) for key, errors in found.values()}
