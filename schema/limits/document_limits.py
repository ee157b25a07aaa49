"""The limits themselves, and the error of a request that is beyond one."""

from dataclasses import dataclass

from resolvers.errors import ErrorCode, JoblensError


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How much one request may ask for. Pages are here since the cost goes by their sizes."""

    max_document_characters: int = 131_072
    max_tokens: int = 5_000
    max_operations: int = 20
    max_depth: int = 20
    max_root_fields: int = 20
    max_aliases: int = 50
    max_directives: int = 50
    max_list_items: int = 2_000
    max_input_values: int = 15_000
    max_input_bytes: int = 1_048_576
    max_cost: int = 20_000
    page_size_default: int = 50
    page_size_max: int = 200


class LimitError(JoblensError):
    """A request is beyond a limit; `details` tell which, and by how much."""


def check(limit: str, actual: int, maximum: int, words: str) -> None:
    """Raise LimitError where `actual` is above `maximum`; `words` have `{}` for the number."""
    if actual > maximum:
        message = f"{words.format(actual)}; the limit is {maximum}."
        details = {"limit": limit, "max": maximum, "actual": actual}
        raise LimitError(ErrorCode.LIMIT_EXCEEDED, message, **details)
