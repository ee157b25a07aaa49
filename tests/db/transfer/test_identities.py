"""Ids made from content: stable, ordered by time, one organisation's apart from another's."""

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from db.transfer.identities import content_digest, content_id

ORG = UUID(int=1)
TIME = datetime(2025, 1, 1, 12, tzinfo=UTC)


def test_the_same_content_gives_the_same_digest():
    one = content_digest(ORG, {"a": 1, "b": {"d": 2, "c": 3}})
    assert one == content_digest(ORG, {"b": {"c": 3, "d": 2}, "id": None, "a": 1})
    assert one != content_digest(UUID(int=2), {"a": 1, "b": {"d": 2, "c": 3}})


def test_ids_are_laid_out_as_uuid_7():
    made = content_id(b"x" * 16, TIME, 0)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(TIME.timestamp() * 1000)
    assert made == content_id(b"x" * 16, TIME, 0)
    assert made != content_id(b"x" * 16, TIME, 1)


def test_a_time_before_1970_still_gives_an_id():
    assert content_id(b"x" * 16, datetime(1, 1, 1, tzinfo=UTC), 0).int >> 80 == 0
