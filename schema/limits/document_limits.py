"""The limits on documents, and the error of a request that exceeds one."""

from dataclasses import dataclass

from resolvers.errors import ErrorCode, JoblensError


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The limits on one request. Page sizes are included because the cost depends on them."""

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
    """A request exceeds a limit; `details` has its name, its maximum and the actual number."""


def check(limit: str, actual: int, maximum: int, message: str) -> None:
    """Raise LimitError if `actual` exceeds `maximum`. `message` has `{}` for the number."""
    if actual > maximum:
        message = f"{message.format(actual)}; the limit is {maximum}."
        details = {"limit": limit, "max": maximum, "actual": actual}
        raise LimitError(ErrorCode.LIMIT_EXCEEDED, message, **details)
