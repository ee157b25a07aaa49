"""Choose a response's media type by the Accept header (RFC 9110, section 12.5.1).

Also accepts what Java's HTTP client sends: weights such as `.2`, and `*` for `*/*`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import Headers

HTML = "text/html"
_WEIGHT = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+", re.ASCII)


def accept_of(headers: Headers) -> str:
    """Join the Accept headers that are not empty; empty if there is none."""
    return ", ".join(each for each in headers.getlist("accept") if each.strip(" \t,"))


@lru_cache(maxsize=256)
def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """Choose the offer with the greatest weight in the Accept header; None if it accepts none.

    Of equal weights: the one that the header lists first, then the first offer.
    """
    ranges = [_parse(item) for item in accept.split(",") if item.strip()]
    ranks = {offer: _rank(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: ranks[offer])
    return best if ranks[best][0] > 0 else None


def _parse(item: str) -> tuple[str, float]:
    media_range, *parameters = (text.strip().lower() for text in item.split(";"))
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
    # The most specific range decides, whatever the weights of the others.
    for wanted in (offer, f"{kind}/*", "*/*"):
        ranks = [
            (weight, -index)
            for index, (media_range, weight) in enumerate(ranges)
            if media_range == wanted
        ]
        if ranks:
            return max(ranks)
    return 0.0, 0
