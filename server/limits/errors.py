"""The refusal of what would be too much now: it says when to come again."""

from collections.abc import Mapping
from types import MappingProxyType

from resolvers.errors import ErrorCode, JoblensError

_NONE: Mapping[str, str] = MappingProxyType({})


class BusyError(JoblensError):
    """Too much is asked at once; the same may be asked again after `retry_after_seconds`.

    `headers`: what else an answer over HTTP tells.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        retry_after_seconds: int = 1,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(code, message)
        self.retry_after_seconds = retry_after_seconds
        self.headers = {**headers, "retry-after": str(retry_after_seconds)}
