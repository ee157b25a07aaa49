"""What a page must hold, by a model of its list in plain Python; and a walk from page to page."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.support.ledger import EPOCH
from tests.support.service import Service

Row = dict[str, Any]
Ask = Callable[..., Awaitable[Any]]

ARGUMENTS = "first: $first, after: $after, last: $last, before: $before"
PAGE_VARIABLES = "$first: Int, $after: String, $last: Int, $before: String"
FLAGS = "pageInfo { hasNextPage hasPreviousPage }"
PAGE = """
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    count { value isExact }
    some: count(atMost: 3) { value isExact }
"""

moments = st.integers(0, 2).map(lambda n: EPOCH + timedelta(microseconds=n))
sizes = st.integers(1, 7)


def asker(service: Service, query: str, org: UUID, **fixed: Any) -> Ask:
    async def ask(**variables: Any) -> Any:
        return await service.query(query, fixed | variables, Joblens_Org=str(org))

    return ask


def window(length: int, size: int, backward: bool, place: int | None) -> tuple[int, int]:
    """Where a page starts and ends in its list; `place`: how many rows its cursor leaves behind
    (forward), or before it (backward)."""
    if backward:
        end = length if place is None else min(place, length)
        return max(0, end - size), end
    start = min(place or 0, length)
    return start, min(length, start + size)


def check(answer: Any, ids: Sequence[str], start: int, end: int) -> None:
    """Compare a page with the model: it holds `ids[start:end]`."""
    page = answer["page"]
    assert [edge["node"]["id"] for edge in page["edges"]] == list(ids[start:end])
    assert page["nodes"] == [edge["node"] for edge in page["edges"]]
    cursors = [edge["cursor"] for edge in page["edges"]]
    flags = {"hasNextPage": end < len(ids), "hasPreviousPage": start > 0}
    ends = {"startCursor": None, "endCursor": None}
    if cursors:
        ends = {"startCursor": cursors[0], "endCursor": cursors[-1]}
    assert page["pageInfo"] == flags | ends
    assert answer["flags"]["pageInfo"] == flags
    assert page["count"] == {"value": len(ids), "isExact": True}
    assert page["some"] == {"value": min(3, len(ids)), "isExact": len(ids) <= 3}


async def walk(
    ask: Ask, ids: Callable[[], list[str]], size: int, backward: bool, grow: Callable[[], Any]
) -> list[str]:
    """Walk to the list's end, checking every page; `grow` may add rows before the next."""
    seen: list[str] = []
    arguments = {"last" if backward else "first": size}
    place: int | None = None
    while True:
        answer = await ask(**arguments)
        check(answer, ids(), *window(len(ids()), size, backward, place))
        found = [node["id"] for node in answer["page"]["nodes"]]
        seen += reversed(found) if backward else found
        info = answer["page"]["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        arguments["before" if backward else "after"] = info[
            "startCursor" if backward else "endCursor"
        ]
        await grow()
        place = ids().index(seen[-1]) + (not backward)


def check_seen(seen: list[str], at_first: list[str], backward: bool) -> None:
    """Each row that was there from the start was seen once and in order, each other at most once."""
    assert len(seen) == len(set(seen))
    kept = [id_ for id_ in seen if id_ in set(at_first)]
    assert kept == (at_first[::-1] if backward else at_first)
