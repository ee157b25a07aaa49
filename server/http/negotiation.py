"""Which media type an answer gets, by the request's Accept header (RFC 9110, section 12.5.1).

Weights are read as clients write them, `.2` of Java's too, and its `*` for any media type.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

_WEIGHT = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+", re.ASCII)


@lru_cache(maxsize=256)
def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """Choose the offer that the Accept header weighs most.

    Where two weigh alike: the one that the header lists earlier, then the earlier offer. None where
    the header admits none of them.
    """
    ranges = [_parse(part) for part in accept.split(",") if part.strip()]
    ranks = {offer: _rank(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: ranks[offer])
    return best if ranks[best][0] > 0 else None


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    media_range = "*/*" if media_range == "*" else media_range
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media_range, _weight(value.strip())
    return media_range, 1.0


def _weight(text: str) -> float:
    return min(float(text), 1.0) if _WEIGHT.fullmatch(text) else 0.0


def _rank(offer: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    kind = offer.partition("/")[0]
    # The most specific range decides, whatever the others weigh.
    for wanted in (offer, f"{kind}/*", "*/*"):
        ranks = [
            (weight, -place)
            for place, (media_range, weight) in enumerate(ranges)
            if media_range == wanted
        ]
        if ranks:
            return max(ranks)
    return 0.0, 0
