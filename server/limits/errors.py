"""The error of requests that are refused now, and may be tried again later."""

from collections.abc import Mapping
from types import MappingProxyType

from resolvers.errors import ErrorCode, JoblensError

_NONE: Mapping[str, str] = MappingProxyType({})


class BusyError(JoblensError):
    """Too much at once; the same may be tried again after `retry_after_seconds`.

    `headers`: further headers of the HTTP response.
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
