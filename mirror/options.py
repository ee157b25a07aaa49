"""How a source is mirrored, as it is kept in the ledger: without the secret of its address."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from mirror.reading import QueueError

Way = Literal["poll", "slot"]


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Where the queue is and how it is read. The address comes from one of the first three.

    `schema`: of the queue's tables, quoted. `slot`: the name of the slot and of its publication.
    """

    url_env: str | None = None
    url_file: str | None = None
    url: str | None = None
    schema: str | None = None
    way: Way = "poll"
    slot: str | None = None
    interval_seconds: float = 1.0

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        """Read what `stored` has written; what is of a later version is left out."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})

    @property
    def stored(self) -> dict[str, Any]:
        """What the ledger keeps."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def address(self) -> str:
        """Get the address with its secret. Raises QueueError if it is not there."""
        if self.url_env is not None:
            if not (found := os.environ.get(self.url_env)):
                raise QueueError(f"the variable {self.url_env} is not set")
            return found.strip()
        if self.url_file is not None:
            try:
                return Path(self.url_file).read_text().strip()
            except OSError as error:
                raise QueueError(f"cannot read {self.url_file}: {error.strerror}") from None
        if self.url is None:
            raise QueueError("the source has no address")
        return self.url


def has_secret(url: str) -> bool:
    """Return whether an address has a password."""
    parts = urlsplit(url)
    return bool(parts.password) or "password=" in parts.query.lower()
