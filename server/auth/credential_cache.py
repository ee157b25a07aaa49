"""What a process remembers of credentials: a bounded number, each for a short time."""

import time
from typing import Generic, TypeVar

T = TypeVar("T")


class CredentialCache(Generic[T]):
    """Values by key, each for `seconds`; where there are too many, the oldest make room."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._held: dict[bytes, tuple[float, T]] = {}

    def get(self, key: bytes) -> T | None:
        """Get the value of this key if it is not too old."""
        held = self._held.get(key)
        return held[1] if held is not None and held[0] > time.monotonic() else None

    def __contains__(self, key: bytes) -> bool:
        """Say whether there is, or was a while ago, a value of this key."""
        return key in self._held

    def put(self, key: bytes, value: T) -> None:
        """Remember a value from now on."""
        self._held.pop(key, None)
        if len(self._held) >= self._most:
            del self._held[next(iter(self._held))]
        self._held[key] = (time.monotonic() + self._seconds, value)

    def forget(self, key: bytes) -> None:
        """Drop the value of this key, if there is one."""
        self._held.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        self._held.clear()
