"""The one error of the embedded PostgreSQL."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be had; the message says why, in words for who started it."""
