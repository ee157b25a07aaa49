"""How large the answer of a request grows, told before it is written."""

from dataclasses import dataclass


@dataclass(slots=True)
class ResponseSize:
    """Bytes that the answer will have at least: names, texts and JSON of what is resolved."""

    max_bytes: int
    bytes: int = 0

    @property
    def is_too_large(self) -> bool:
        """Say whether nothing of it is to be written, so that nothing more need be resolved."""
        return self.bytes > self.max_bytes

    def exceed(self) -> None:
        """Note that it would be too large for a reason that is not counted here."""
        self.bytes = max(self.bytes, self.max_bytes + 1)
