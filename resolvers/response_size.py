"""The size of a response, estimated while it is resolved."""

from dataclasses import dataclass


@dataclass(slots=True)
class ResponseSize:
    """A lower bound of the response in bytes: names, text and JSON of the resolved fields.

    `uncounted`: the most that is not counted, because it surely fits.
    """

    max_bytes: int
    bytes: int = 0
    uncounted: int = 0

    @property
    def is_too_large(self) -> bool:
        """Whether the response exceeds `max_bytes`, so that resolving more of it is useless."""
        return self.bytes > self.max_bytes

    def fits(self, most: int) -> bool:
        """Return whether at most so many more bytes surely fit, so that they need no counting."""
        if self.bytes + self.uncounted + most > self.max_bytes:
            return False
        self.uncounted += most
        return True

    def exceed(self) -> None:
        """Mark the response as too large, for a reason that is not counted here."""
        self.bytes = max(self.bytes, self.max_bytes + 1)
